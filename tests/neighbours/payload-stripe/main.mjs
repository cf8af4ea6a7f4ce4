// Payload with its Stripe plugin as its documents have it, but without Next.js around it, on SQLite. Whoever runs it has
// a supervisor: a failure of the plugin's work, which nobody awaits, ends the process.
import { fork } from "node:child_process";
import { createServer } from "node:http";
import { sqliteAdapter } from "@payloadcms/db-sqlite";
import { stripePlugin } from "@payloadcms/plugin-stripe";
import { buildConfig, getPayload, handleEndpoints } from "payload";

// Those that Next.js has routes for.
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

if (process.send) {
  process.on("disconnect", () => process.exit());
  await serve();
} else {
  supervise();
}

function supervise() {
  fork(process.argv[1]).on("exit", supervise);
}

async function serve() {
  const { APP_SECRET, PORT, STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET } = process.env;
  const config = buildConfig({
    secret: APP_SECRET,
    telemetry: false,
    db: sqliteAdapter({ client: { url: "file:shop.sqlite3" }, push: true }),
    collections: [
      {
        slug: "customers",
        timestamps: true,
        fields: [
          { name: "name", type: "text" },
          { name: "email", type: "text" },
          { name: "plan", type: "text" },
        ],
      },
    ],
    plugins: [
      stripePlugin({
        stripeSecretKey: STRIPE_API_KEY,
        stripeWebhooksEndpointSecret: STRIPE_WEBHOOK_SECRET,
        logs: true,
        sync: [
          {
            collection: "customers",
            stripeResourceType: "customers",
            stripeResourceTypeSingular: "customer",
            fields: [
              { fieldPath: "name", stripeProperty: "name" },
              { fieldPath: "email", stripeProperty: "email" },
            ],
          },
        ],
        webhooks: {
          "customer.subscription.updated": async ({ event, payload }) => {
            const { customer, status } = event.data.object;
            await payload.update({
              collection: "customers",
              where: { stripeID: { equals: customer } },
              data: { plan: status === "active" ? "pro" : "free", skipSync: true },
            });
          },
        },
      }),
    ],
  });
  // In production it makes no tables by itself, but by migrations that are generated before.
  process.env.NODE_ENV = "development";
  const payload = await getPayload({ config });
  process.env.NODE_ENV = "production";
  if (!(await payload.count({ collection: "customers" })).totalDocs) {
    await payload.create({
      collection: "customers",
      data: { name: "Ada", email: "ada@example.test", stripeID: "cus_Neighbour0Ada1", plan: "free", skipSync: true },
    });
  }

  createServer(async (incoming, outgoing) => {
    if (!METHODS.includes(incoming.method)) {
      outgoing.writeHead(405).end();
      return;
    }
    const request = await asRequest(incoming, PORT).catch(() => null);
    if (!request) {
      outgoing.writeHead(400).end();
      return;
    }
    const response = await handleEndpoints({ config, request });
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  }).listen(Number(PORT), "127.0.0.1");
}

// Throws for what is no URL or no header, as Next.js refuses it.
async function asRequest(incoming, port) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return new Request(`http://127.0.0.1:${port}${incoming.url}`, {
    method: incoming.method,
    headers: incoming.headers,
    body: ["GET", "HEAD"].includes(incoming.method) ? undefined : Buffer.concat(chunks),
  });
}
