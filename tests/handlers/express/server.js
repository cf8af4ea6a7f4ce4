// A webhook on Express with stripe-node: the handler of Stripe's quickstart, with a database and a log file.
import express from "express";
import Stripe from "stripe";
import { NoEvent, faults, log, take } from "./shop.js";

const endpointSecret = process.env.STRIPE_WEBHOOK_SECRET;
const stripe = new Stripe(process.env.STRIPE_SECRET_KEY ?? "not used here");
const app = express();

app.post("/webhook", express.raw({ type: "application/json", limit: "1mb" }), (request, response) => {
  let event;
  try {
    event = faults.has("skips_verification")
      ? JSON.parse(request.body)
      : stripe.webhooks.constructEvent(request.body, request.headers["stripe-signature"], endpointSecret);
  } catch (error) {
    log(`delivery refused: ${error.constructor.name}`);
    return response.status(400).send(faults.has("shows_sdk_text") ? `Webhook Error: ${error.message}` : "not a delivery of ours");
  }
  try {
    const outcome = take(event);
    log(`event ${event.id} ${event.type} ${outcome}`);
  } catch (error) {
    if (!(error instanceof NoEvent)) throw error;
    log("delivery refused: not understood");
    return response.status(400).send("not a delivery of ours");
  }
  response.json({ received: true });
});

// Whatever else fails is told in general words.
app.use((error, request, response, next) => {
  response.status(error.status ?? 500).send(error.status ? "not a delivery of ours" : "failed");
});

app.listen(process.env.PORT ?? 4242, "127.0.0.1");
