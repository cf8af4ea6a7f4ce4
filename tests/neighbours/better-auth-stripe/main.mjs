// Better Auth on Express with its Stripe plugin, as its documents have it, with one known customer, on SQLite.
import { NodeSqliteDialect } from "@better-auth/kysely-adapter/node-sqlite-dialect";
import { stripe } from "@better-auth/stripe";
import { DatabaseSync } from "@photostructure/sqlite";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import express from "express";
import Stripe from "stripe";

const { APP_SECRET, PORT, STRIPE_API_BASE, STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET } = process.env;
const base = new URL(STRIPE_API_BASE);
const database = new DatabaseSync("shop.sqlite3");
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: APP_SECRET,
  database: { dialect: new NodeSqliteDialect({ database }), type: "sqlite" },
  telemetry: { enabled: false },
  emailAndPassword: { enabled: true },
  plugins: [
    stripe({
      stripeClient: new Stripe(STRIPE_API_KEY, { host: base.hostname, port: base.port, protocol: "http" }),
      stripeWebhookSecret: STRIPE_WEBHOOK_SECRET,
      createCustomerOnSignUp: false,
      subscription: { enabled: true, plans: [{ name: "pro", priceId: "price_Neighbour0Pro1", limits: { projects: 10 } }] },
    }),
  ],
});
await (await getMigrations(auth.options)).runMigrations();
const context = await auth.$context;
const user = await context.internalAdapter.createUser({
  email: "ada@example.test",
  name: "Ada",
  emailVerified: true,
  stripeCustomerId: "cus_Neighbour0Ada1",
});
await context.adapter.create({
  model: "subscription",
  data: {
    id: "Neighbour0Ada1",
    plan: "pro",
    referenceId: user.id,
    stripeCustomerId: "cus_Neighbour0Ada1",
    status: "incomplete",
  },
  forceAllowId: true,
});

const app = express();
app.all("/api/auth/{*any}", toNodeHandler(auth));
app.listen(Number(PORT), "127.0.0.1");
