// Starts the service from the environment's settings, over HTTPS; logs JSON lines to standard output.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import * as defects from "./defects.mjs";
import { stripeAt } from "./gateway.mjs";
import { log } from "./log.mjs";
import { billing, parts } from "./service.mjs";
import { Store } from "./store.mjs";

function setting(name) {
  const value = process.env[name]?.trim();
  if (!value) throw new Error(`the environment variable ${name} is not set`);
  return value;
}

// For the tests: one planted fault, by its name in defects.mjs.
const planted = process.env.BILLING_DEFECT;
if (planted && !(planted in defects)) throw new Error("BILLING_DEFECT names no defect");
const chosen = planted ? { ...parts, ...defects[planted](parts) } : parts;

const store = new Store(setting("BILLING_DATABASE"), chosen);
const stripe = stripeAt(setting("STRIPE_API_BASE"), setting("STRIPE_API_KEY"), chosen.sdk);
const app = billing({
  parts: chosen,
  store,
  stripe,
  secret: chosen.secretOf(() => setting("STRIPE_WEBHOOK_SECRET")),
  callers: [
    { token: setting("BILLING_TOKEN"), role: "customer_service", tenant: "one" },
    { token: setting("BILLING_READER_TOKEN"), role: "reader", tenant: "one" },
    { token: setting("BILLING_OTHER_TOKEN"), role: "customer_service", tenant: "other" },
  ],
});
const server = createServer(
  { key: readFileSync(setting("BILLING_TLS_KEY")), cert: readFileSync(setting("BILLING_TLS_CERTIFICATE")) },
  app,
);
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => log("service_started", { port: server.address().port }));
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
