// Supabase's engine behind Express, as its README has it: PostgreSQL mirrors what Stripe tells of.
import { createRequire } from "node:module";
import express from "express";
import pino from "pino";
import Stripe from "stripe";

// Its ECMAScript module finds no migrations (it asks for __dirname).
const { StripeSync, runMigrations } = createRequire(import.meta.url)("@supabase/stripe-sync-engine");
const { DATABASE_URL, PORT, STRIPE_API_BASE, STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET } = process.env;
const base = new URL(STRIPE_API_BASE);
const logger = pino();
await runMigrations({ databaseUrl: DATABASE_URL, schema: "stripe", logger });
const sync = new StripeSync({
  poolConfig: { connectionString: DATABASE_URL, max: 10 },
  stripeSecretKey: STRIPE_API_KEY,
  stripeWebhookSecret: STRIPE_WEBHOOK_SECRET,
  logger,
});
// It makes a client of its own and has no setting for the base of Stripe's API.
sync.stripe = new Stripe(STRIPE_API_KEY, { host: base.hostname, port: base.port, protocol: "http" });

const app = express();
app.post("/webhooks", express.raw({ type: "application/json" }), async (request, response) => {
  try {
    await sync.processWebhook(request.body, request.get("stripe-signature"));
    response.json({ received: true });
  } catch (error) {
    logger.error(error.message);
    response.status(400).json({ error: error.message });
  }
});
app.listen(Number(PORT), "127.0.0.1");
