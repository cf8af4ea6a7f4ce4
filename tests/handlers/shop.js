// What the shop keeps and logs. FAULTS names faults to seed, apart by commas; truths.toml says what each is told as.
import { appendFileSync } from "node:fs";
import { DatabaseSync } from "@photostructure/sqlite";

export const faults = new Set((process.env.FAULTS ?? "").split(","));
const HANDLED = new Set([
  "customer.subscription.created",
  "customer.subscription.updated",
  "customer.subscription.deleted",
  "invoice.paid",
  "charge.succeeded",
]);
const database = new DatabaseSync("shop.db");
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA busy_timeout = 10000;
  CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS subscriptions (id TEXT PRIMARY KEY, customer TEXT, status TEXT, changed INTEGER);
  CREATE TABLE IF NOT EXISTS accounts (customer TEXT PRIMARY KEY, paid INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS charges (id TEXT PRIMARY KEY, customer TEXT, amount INTEGER, card TEXT);
`);

const run = (sql, ...values) => database.prepare(sql).run(...values);

export const log = (line) => appendFileSync("app.log", `${new Date().toISOString()} ${line}\n`);

// A body that is signed, and still no event as Stripe sends them.
export class NoEvent extends Error {}

function text(value) {
  if (typeof value !== "string" || !value.isWellFormed()) throw new NoEvent();
  return value;
}

function number(value) {
  if (!Number.isSafeInteger(value)) throw new NoEvent();
  return value;
}

function apply(event) {
  const thing = event.data.object;
  const customer = thing.customer === null ? null : text(thing.customer);
  if (event.type.startsWith("customer.subscription.")) {
    run(
      `INSERT INTO subscriptions VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
       SET status = excluded.status, changed = excluded.changed WHERE excluded.changed >= changed`,
      text(thing.id),
      customer,
      text(thing.status),
      number(event.created),
    );
  } else if (event.type === "invoice.paid") {
    run(
      "INSERT INTO accounts VALUES (?, ?) ON CONFLICT (customer) DO UPDATE SET paid = paid + excluded.paid",
      customer,
      number(thing.amount_paid),
    );
  } else {
    const card = faults.has("keeps_card") ? JSON.stringify(thing.payment_method_details) : null;
    run("INSERT OR REPLACE INTO charges VALUES (?, ?, ?, ?)", text(thing.id), customer, number(thing.amount), card);
    if (faults.has("logs_email")) log(`charge of ${thing.billing_details.email}`);
  }
}

// Applies an event once, where it is one that the shop handles; returns what became of it.
export function take(event) {
  if (event === null || typeof event !== "object" || typeof event.type !== "string") throw new NoEvent();
  if (!HANDLED.has(event.type)) return "ignored";
  if (event.data === null || typeof event.data?.object !== "object" || event.data.object === null) throw new NoEvent();
  database.exec("BEGIN IMMEDIATE");
  try {
    const fresh = run("INSERT OR IGNORE INTO events VALUES (?)", text(event.id)).changes === 1;
    if (fresh || faults.has("applies_twice")) apply(event);
    database.exec("COMMIT");
    return fresh ? "applied" : "known";
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
