// A NestJS application with the module and handlers as its README has them (decorators applied by hand, so that
// nothing is compiled), with one known customer, on SQLite.
import "reflect-metadata";
import { StripeModule, StripeWebhookHandler } from "@golevelup/nestjs-stripe";
import { Injectable, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { DatabaseSync } from "@photostructure/sqlite";

const { PORT, STRIPE_API_BASE, STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET } = process.env;
const base = new URL(STRIPE_API_BASE);
const database = new DatabaseSync("shop.sqlite3");
database.exec(`
  PRAGMA journal_mode = WAL;
  CREATE TABLE customers (id TEXT PRIMARY KEY, plan TEXT NOT NULL, subscription TEXT, seats INTEGER, status TEXT);
  CREATE TABLE payments (invoice TEXT PRIMARY KEY, customer TEXT NOT NULL, amount INTEGER NOT NULL);
  INSERT INTO customers VALUES ('cus_Neighbour0Ada1', 'free', NULL, NULL, NULL);
`);

class BillingService {
  subscriptionChanged({ data: { object } }) {
    const [item] = object.items.data;
    database
      .prepare("UPDATE customers SET plan = 'pro', subscription = ?, seats = ?, status = ? WHERE id = ?")
      .run(object.id, item.quantity, object.status, object.customer);
  }

  subscriptionDeleted({ data: { object } }) {
    database
      .prepare("UPDATE customers SET plan = 'free', status = ? WHERE id = ? AND subscription = ?")
      .run(object.status, object.customer, object.id);
  }

  invoicePaid({ data: { object } }) {
    database
      .prepare(
        "INSERT OR IGNORE INTO payments SELECT ?, id, ? FROM customers WHERE id = ?",
      )
      .run(object.id, object.amount_paid, object.customer);
  }
}

function handle(name, type) {
  const described = Object.getOwnPropertyDescriptor(BillingService.prototype, name);
  StripeWebhookHandler(type)(BillingService.prototype, name, described);
}

Injectable()(BillingService);
handle("subscriptionChanged", "customer.subscription.updated");
handle("subscriptionDeleted", "customer.subscription.deleted");
handle("invoicePaid", "invoice.paid");

class AppModule {}
Module({
  imports: [
    StripeModule.forRoot({
      apiKey: STRIPE_API_KEY,
      host: base.hostname,
      port: base.port,
      protocol: "http",
      webhookConfig: {
        stripeSecrets: { account: STRIPE_WEBHOOK_SECRET, accountTest: STRIPE_WEBHOOK_SECRET },
        requestBodyProperty: "rawBody",
      },
    }),
  ],
  providers: [BillingService],
})(AppModule);

const app = await NestFactory.create(AppModule, { rawBody: true });
await app.listen(Number(PORT), "127.0.0.1");
