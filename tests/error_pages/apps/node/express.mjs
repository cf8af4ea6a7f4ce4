import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import net from "node:net";
import express from "express";
import Stripe from "stripe";
import { HOOK, announce, fail, listening, page, version } from "./serving.mjs";

const mode = process.argv[2];
console.error = () => {};
const stripe = new Stripe("sk_" + "test_x");
const app = express();
app.set("env", mode);
app.post("/stripe", express.text({ type: "*/*" }), (request, response) => {
  try {
    stripe.webhooks.constructEvent(request.body, "t=1,v1=0", "whsec_" + "x".repeat(32));
  } catch (error) {
    response.status(400);
    if (request.query.as === "json") response.json(error);
    else response.send(`Webhook Error: ${error.message}`);
  }
});
app.use(express.json());
app.post(HOOK, () => fail());
app.post("/stack", (request, response) => {
  try {
    fail();
  } catch (error) {
    response.status(500).json({ message: error.message, stack: error.stack });
  }
});
app.post("/file", async (request, response) => {
  try {
    await readFile("/srv/billing/keys/webhook.pem");
  } catch (error) {
    response.status(500).json({ message: error.message });
  }
});
app.post("/database", (request, response) => {
  net.connect(9, "127.0.0.1").on("error", (error) => response.status(503).json({ message: error.message }));
});
app.post("/environment", (request, response) => response.status(500).json({ error: "no", env: process.env }));
const port = await listening(createServer(app));
const html = { headers: { Accept: "text/html" } };
const pages = {
  [`express_${mode}_500`]: page(port, HOOK, html),
  [`express_${mode}_400_json`]: page(port, HOOK, { body: "{" }),
  [`express_${mode}_404`]: page(port, "/nothing", html),
};
if (mode === "production")
  Object.assign(pages, {
    express_stack_as_json: page(port, "/stack"),
    express_file_error_as_json: page(port, "/file"),
    express_connect_error_as_json: page(port, "/database"),
    express_environment_as_json: page(port, "/environment"),
    express_stripe_webhook_as_text: page(port, "/stripe"),
    express_stripe_webhook_as_json: page(port, "/stripe?as=json"),
  });
announce(`${version("express")}, stripe ${version("stripe")}`, pages);
