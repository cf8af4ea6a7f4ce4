// The planted faults: each returns the parts of the service that it replaces; expected.toml says what must catch it.
import { Agent } from "node:https";
import express from "express";
import Stripe from "stripe";

// The body is parsed before it is verified, and written as JSON again for the SDK.
export const body_parsed_before_verification = ({ verify }) => ({
  raw: express.json({ limit: "1mb" }),
  verify: (body, signature, secret) => verify(JSON.stringify(body), signature, secret),
});

// The SDK takes a tolerance of 0 for "any age", not for "none".
export const tolerance_of_zero = () => ({
  verify: (body, signature, secret) => Stripe.webhooks.constructEvent(body, signature, secret, 0),
});

// Milliseconds, as everywhere in JavaScript; the SDK takes seconds.
export const tolerance_in_milliseconds = () => ({
  verify: (body, signature, secret) => Stripe.webhooks.constructEvent(body, signature, secret, 300_000),
});

// "Only verify when there is something to verify", for the convenience of local tests.
export const unsigned_accepted = ({ verify }) => ({
  verify: (body, signature, secret) => (signature ? verify(body, signature, secret) : JSON.parse(body)),
});

// "Verify where there is a secret", so that it runs on a laptop without one.
export const unverified_without_secret = ({ verify }) => ({
  secretOf: () => process.env.STRIPE_WEBHOOK_SECRET ?? "",
  verify: (body, signature, secret) => (secret ? verify(body, signature, secret) : JSON.parse(body)),
});

// "Events are events": those of connected accounts are applied as the service's own.
export const account_ignored = () => ({ isOwn: (event) => !event.livemode });

// The event's id is looked up in nothing, and every copy has its effect.
export const deduplication_missing = () => ({
  remember(store, event) {
    store.run("INSERT OR REPLACE INTO events (id, type) VALUES (?, ?)", event.id, event.type);
    return true;
  },
});

// The path as it was asked for, also where somebody has put a card number into it.
export const path_logged = () => ({ asked: (request) => ({ method: request.method, path: request.path }) });

// The event stands in the database as Stripe sent it, names and addresses with it.
export const raw_event_stored = ({ remember }) => ({
  remember(store, event) {
    store.run("CREATE TABLE IF NOT EXISTS payloads (id TEXT PRIMARY KEY, payload TEXT)");
    store.run("INSERT OR IGNORE INTO payloads VALUES (?, ?)", event.id, JSON.stringify(event));
    return remember(store, event);
  },
});

// The whole event is logged, "for debugging".
export const event_logged = () => ({ noteEvent: (event) => ({ event }) });

// Express answers what nobody caught; outside of NODE_ENV=production with the stack trace.
export const stack_trace_shown = () => ({
  unexpected: (error, request, response, next) => next(error),
});

// The caller gets Stripe's own text.
export const stripe_message_passed_on = ({ told }) => ({
  told(error) {
    const [status, answer] = told(error);
    return [status, { ...answer, message: error.message }];
  },
});

// The caller gets Stripe's whole error object.
export const stripe_error_passed_on = () => ({
  told: (error) => [error.statusCode ?? 503, error.raw],
});

// Whoever tries out stolen cards is told which of them are reported.
export const decline_code_passed_on = ({ told }) => ({
  told(error) {
    const [status, answer] = told(error);
    return [status, error.decline_code ? { ...answer, reason: error.decline_code } : answer];
  },
});

// The error is logged as it is: message, parameters, headers and all.
export const stripe_error_logged = () => ({ noted: (error) => ({ error }) });

// Any error is an outage, a declined card too.
export const decline_as_outage = () => ({ told: () => [503, { code: "payments_unavailable" }] });

// A loop of its own around the SDK, whose every call has a key of its own.
export const retry_without_idempotency_key = ({ sdk }) => ({
  sdk: { ...sdk, maxNetworkRetries: 0 },
  ask: (call) => repeated(() => call({}), (error) => !error.statusCode || error.statusCode >= 500),
});

// A loop that repeats whatever fails, a declined card too.
export const decline_retried = ({ ask }) => ({ ask: (call) => repeated(() => ask(call), () => true) });

// What came to nothing is left at that.
export const never_retried = ({ sdk }) => ({ sdk: { ...sdk, maxNetworkRetries: 0 } });

// The SDK's own timeout, 80 s.
export const timeout_missing = ({ sdk }) => ({ sdk: { ...sdk, timeout: undefined } });

// Whoever answers in Stripe's place is believed.
export const certificate_not_verified = ({ sdk }) => ({
  sdk: { ...sdk, httpAgent: new Agent({ keepAlive: true, rejectUnauthorized: false }) },
});

async function repeated(attempt, worthwhile) {
  for (let left = 2; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0 || !worthwhile(error)) throw error;
    }
  }
}

// What Stripe would refuse is made to fit: whoever asks to pay -500 pays 500.
export const amount_made_positive = ({ payable }) => ({
  payable(body) {
    body.amount = Math.max(1, Math.min(1_000_000, Math.abs(Math.round(Number(body.amount) || 500))));
    return payable(body);
  },
});

// A currency that nobody knows is taken for dollars.
export const currency_defaulted = ({ payable }) => ({
  payable(body) {
    body.currency = "usd";
    return payable(body);
  },
});

// The customer is created with whatever the request says of it.
export const body_passed_on = () => ({ customer: (body) => body });

// Whoever knows an id may use it.
export const ownership_not_checked = () => ({ owns: () => true });

// Whoever has a token may do everything.
export const role_not_checked = () => ({ may: () => true });

// The role is what the request says it is.
export const role_from_header = ({ may }) => ({
  may: (caller, request) => may(request.get("X-Role") === "admin" ? { role: "customer_service" } : caller),
});
