// Tells where the pages are, and ends with standard input.
import { readFileSync } from "node:fs";

export const HOOK = "/webhooks/stripe";
export const EVENT = JSON.stringify({ id: "evt_1", type: "invoice.paid" });

export function fail() {
  return JSON.parse(EVENT).data.object.customer;
}

export const version = (name) =>
  JSON.parse(readFileSync(new URL(`./node_modules/${name}/package.json`, import.meta.url))).version;

export const page = (port, path = HOOK, { method = "POST", body = EVENT, headers = {} } = {}) => ({
  port,
  path,
  method,
  headers: { "Content-Type": "application/json", ...headers },
  body: method === "GET" ? "" : body,
});

export const listening = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));

export function announce(version, pages) {
  console.log(JSON.stringify({ version, pages }));
  process.stdin.resume();
  process.stdin.on("end", () => process.exit(0));
}
