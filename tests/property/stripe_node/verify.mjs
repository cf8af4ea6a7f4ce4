// Answers, one JSON line per JSON line, whether stripe-node takes a webhook delivery.
//
// In:  {"body": base64, "headers": [latin-1 text], "secret": text, "now": seconds since 1970, "parse": boolean}
// Out: {"verdict": "accepted" | "refused" | "raised", "error": name of the error or null}
//
// "parse" asks for constructEvent, as integrations call it; without it only the signature is looked at. Header fields
// of one name are joined with ", ", as node:http joins them before any framework sees them.
import { Buffer } from 'node:buffer';
import process from 'node:process';
import readline from 'node:readline';
import Stripe from 'stripe';

const { webhooks, errors } = Stripe;
const TOLERANCE = 300;

function answer({ body, headers, secret, now, parse }) {
  const header = headers.length ? headers.join(', ') : undefined;
  const payload = Buffer.from(body, 'base64');
  try {
    if (parse) {
      webhooks.constructEvent(payload, header, secret, TOLERANCE, undefined, now * 1000);
    } else {
      webhooks.signature.verifyHeader(payload, header, secret, TOLERANCE, undefined, now * 1000);
    }
    return { verdict: 'accepted', error: null };
  } catch (error) {
    const refused = error instanceof errors.StripeSignatureVerificationError;
    return { verdict: refused ? 'refused' : 'raised', error: error.constructor.name };
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
}
