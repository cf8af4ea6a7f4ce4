// A webhook on Next.js with stripe-node: a route handler, with a database and a log file.
import Stripe from "stripe";
import { NoEvent, faults, log, take } from "../../../lib/shop.js";

export const runtime = "nodejs";
export const dynamic = "force-dynamic";

const stripe = new Stripe(process.env.STRIPE_SECRET_KEY ?? "not used here");
const MOST_BYTES = 1024 * 1024;
const refuse = (why, status = 400) => Response.json({ error: why }, { status });

// The body as text, or null where it is longer than any event.
async function readBody(request) {
  const parts = [];
  let length = 0;
  for await (const part of request.body ?? []) {
    length += part.byteLength;
    if (length > MOST_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export async function POST(request) {
  const body = await readBody(request);
  if (body === null) return refuse("too long", 413);
  let event;
  try {
    event = faults.has("skips_verification")
      ? JSON.parse(body)
      : stripe.webhooks.constructEvent(body, request.headers.get("stripe-signature"), process.env.STRIPE_WEBHOOK_SECRET);
  } catch (error) {
    log(`delivery refused: ${error.constructor.name}`);
    return refuse(faults.has("shows_sdk_text") ? `Webhook Error: ${error.message}` : "not a delivery of ours");
  }
  try {
    const outcome = take(event);
    log(`event ${event.id} ${event.type} ${outcome}`);
  } catch (error) {
    if (!(error instanceof NoEvent)) throw error;
    log("delivery refused: not understood");
    return refuse("not a delivery of ours");
  }
  return Response.json({ received: true });
}
