// What the service asks of Stripe, by the official SDK, and what it says of Stripe's errors.
import { randomUUID } from "node:crypto";
import Stripe from "stripe";

const { errors } = Stripe;

export function stripeAt(base, key, options) {
  const { hostname, port, protocol } = new URL(base);
  return new Stripe(key, { host: hostname, port: port || undefined, protocol: protocol.slice(0, -1), ...options });
}

// An operation has one idempotency key, whatever the SDK repeats.
export async function ask(call) {
  const made = await call({ idempotencyKey: randomUUID() });
  if (typeof made?.id !== "string") throw new Error("Stripe's answer has no id");
  return made;
}

// What the caller is told: one answer for all declines, one for all refusals, one for all that may pass.
export function told(error) {
  if (error instanceof errors.StripeCardError) return [402, { code: "payment_declined" }];
  if (error instanceof errors.StripeInvalidRequestError || error instanceof errors.StripeIdempotencyError) {
    return [422, { code: "payment_refused" }];
  }
  return [503, { code: "payments_unavailable" }];
}

// What the log is told: the kind of the error and Stripe's id of the request, by which its dashboard shows the rest.
export function noted(error) {
  return { kind: error.constructor.name, stripe_request: error.requestId };
}

// Four attempts of at most 2 s each, with the SDK's pauses between them, end within the 12 s that callers wait.
export const sdk = { maxNetworkRetries: 3, timeout: 2_000 };
