// The routes: Stripe's webhook, and the operations that callers with the token may ask for.
import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import express from "express";
import Stripe from "stripe";
import { ask, noted, sdk, told } from "./gateway.mjs";
import { log } from "./log.mjs";
import { remember } from "./store.mjs";

function verify(body, signature, secret) {
  return Stripe.webhooks.constructEvent(body, signature, secret);
}

// What happens to an error that no route has answered. Its message is not logged: the SDK's may quote what was sent.
function unexpected(error, request, response, next) {
  if (response.headersSent) return next(error);
  const status = error.expose && error.status < 500 ? error.status : 500;
  log("request_failed", { ...request.app.locals.asked(request), status, kind: error.constructor.name });
  return response.status(status).json({ error: { code: status < 500 ? "invalid_request" : "internal" } });
}

// Whether an event is of this account, and of its test mode: an endpoint for Connect gets those of others too.
function isOwn(event) {
  return !event.account && !event.context && !event.livemode;
}

// Whether a caller may do an operation: customer service may do all of them, a reader none.
function may(caller) {
  return caller.role === "customer_service";
}

// What a payment may be of; anything else is refused before Stripe hears of it.
const CURRENCIES = new Set(["usd", "eur"]);
function payable({ amount, currency = "usd" }) {
  return Number.isSafeInteger(amount) && amount > 0 && amount <= 1_000_000 && CURRENCIES.has(currency);
}

// Ids of Stripe's, so that nothing else goes there in their place: a price and a payment method.
const isPrice = ({ price }) => typeof price === "string" && /^price_\w{1,200}$/.test(price);
const isCard = ({ card }) => typeof card === "string" && /^pm_\w{1,200}$/.test(card);

// What a planted defect replaces one of.
export const parts = {
  ask,
  // Never the path as it was sent: whoever made it up may have put anything into it.
  asked: (request) => ({ method: request.method, route: request.route?.path ?? "none" }),
  isOwn,
  json: express.json({ limit: "16kb" }),
  customer: () => ({}),
  may,
  noted,
  noteEvent: (event) => ({ id: event.id, type: event.type }),
  owns: (store, caller, id) => store.owns(caller.tenant, id),
  payable,
  raw: express.raw({ type: "application/json", limit: "1mb" }),
  remember,
  secretOf: (required) => required(),
  sdk,
  told,
  unexpected,
  verify,
};

function digest(text) {
  return createHash("sha256").update(text).digest();
}

// `callers` are those who are known: the token, the role, and the tenant of each.
function authenticated(callers) {
  const known = callers.map((caller) => ({ ...caller, expected: digest(`Bearer ${caller.token}`) }));
  return (request, response, next) => {
    const given = digest(request.get("Authorization") ?? "");
    request.caller = known.filter(({ expected }) => timingSafeEqual(given, expected))[0];
    if (request.caller) return next();
    log("request_refused", { ...request.app.locals.asked(request), origin: request.ip });
    return response.status(401).json({ error: { code: "unauthenticated" } });
  };
}

function webhook({ parts, store, secret }) {
  return (request, response) => {
    let event;
    try {
      event = parts.verify(request.body, request.get("Stripe-Signature"), secret);
    } catch (error) {
      // Only what the SDK says of the signature is the sender's fault; anything else is ours.
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
      log("webhook_rejected", { cause: "signature", origin: request.ip, result: "rejected" });
      return response.status(400).json({ error: { code: "invalid_request" } });
    }
    if (!parts.isOwn(event)) {
      log("webhook_ignored", parts.noteEvent(event));
      return response.json({ received: true });
    }
    const applied = store.apply(event);
    log(applied ? "webhook_applied" : "webhook_repeated", parts.noteEvent(event));
    return response.json({ received: true });
  };
}

export function billing({ parts, store, stripe, secret, callers }) {
  const app = express();
  app.disable("x-powered-by");
  app.locals.asked = parts.asked;
  app.post("/webhooks/stripe", parts.raw, webhook({ parts, store, secret }));
  app.use(authenticated(callers));
  app.use(parts.json);

  // `ids` are those of the objects that the request is about, which must be the caller's tenant's; `call` makes one
  // call of the SDK's from the request's body and the options that hold the idempotency key.
  function operation(name, path, ids, call, sound = () => true) {
    app.post(path, async (request, response) => {
      if (!parts.may(request.caller, request)) {
        log("request_forbidden", { operation: name, role: request.caller.role });
        return response.status(403).json({ error: { code: "forbidden" } });
      }
      const about = ids(request.body ?? {}, request.params);
      if (!about.every((id) => typeof id === "string" && parts.owns(store, request.caller, id))) {
        return response.status(404).json({ error: { code: "not_found" } });
      }
      if (!sound(request.body ?? {})) return response.status(422).json({ error: { code: "invalid_request" } });
      let made;
      try {
        made = await parts.ask((options) => call(request.body ?? {}, options, request.params));
      } catch (error) {
        const reference = randomUUID();
        const [status, answer] = parts.told(error);
        log("operation_failed", { operation: name, reference, status, ...parts.noted(error) });
        return response.status(status).json({ error: { ...answer, reference } });
      }
      store.keep(name, made.id, request.caller.tenant);
      log("operation_done", { operation: name, id: made.id });
      return response.status(201).json({ id: made.id });
    });
  }

  operation(
    "create_customer",
    "/customers",
    () => [],
    (body, options) => stripe.customers.create(parts.customer(body), options),
  );
  operation(
    "subscribe",
    "/subscriptions",
    ({ customer }) => [customer],
    (body, options) =>
      stripe.subscriptions.create(
        {
          customer: String(body.customer),
          items: [{ price: String(body.price) }],
          payment_behavior: "error_if_incomplete",
        },
        options,
      ),
    isPrice,
  );
  operation(
    "cancel",
    "/subscriptions/:id/cancel",
    (body, { id }) => [id],
    (body, options, { id }) => stripe.subscriptions.update(id, { cancel_at_period_end: true }, options),
  );
  operation(
    "pay",
    "/payments",
    ({ customer }) => [customer],
    (body, options) =>
      stripe.paymentIntents.create(
        {
          amount: body.amount,
          currency: body.currency ?? "usd",
          customer: String(body.customer),
          payment_method: String(body.card),
          confirm: true,
          off_session: true,
        },
        options,
      ),
    (body) => parts.payable(body) && isCard(body),
  );
  operation(
    "refund",
    "/refunds",
    ({ payment }) => [payment],
    (body, options) => stripe.refunds.create({ payment_intent: String(body.payment) }, options),
  );
  app.get("/subscriptions/:id", (request, response, next) => {
    if (!parts.owns(store, request.caller, request.params.id)) return next();
    return response.json({ id: request.params.id });
  });

  app.use((request, response) => response.status(404).json({ error: { code: "not_found" } }));
  app.use(parts.unexpected);
  return app;
}
