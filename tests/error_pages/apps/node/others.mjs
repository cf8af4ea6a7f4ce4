// Smaller frameworks of Node, several in one process.
import "reflect-metadata";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import Hapi from "@hapi/hapi";
import { serve } from "@hono/node-server";
import { Controller, Module, Post } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import Fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { HOOK, announce, fail, listening, page, version } from "./serving.mjs";

const names = ["fastify", "koa", "@hapi/hapi", "hono", "@nestjs/core"];
console.error = () => {};

const koa = new Koa({ env: "production" });
koa.silent = true;
koa.use((context) => {
  if (context.path === HOOK) fail();
});
const koaPort = await listening(createServer(koa.callback()));

const fastify = Fastify();
fastify.post(HOOK, async () => fail());
fastify.post("/refused", async () => {
  await once(connect(9, "127.0.0.1"), "connect");
});
await fastify.listen({ port: 0, host: "127.0.0.1" });
const fastifyPort = fastify.server.address().port;

const hapi = Hapi.server({ port: 0, host: "127.0.0.1", debug: false });
hapi.route({ method: "POST", path: HOOK, handler: () => fail() });
await hapi.start();

const hono = new Hono();
hono.post(HOOK, () => fail());
const honoPort = await new Promise((resolve) =>
  serve({ fetch: hono.fetch, port: 0, hostname: "127.0.0.1" }, (info) => resolve(info.port)),
);

// Decorators without a compiler: they are functions.
class Hook {
  take() {
    return fail();
  }
}
Post(HOOK)(Hook.prototype, "take", Object.getOwnPropertyDescriptor(Hook.prototype, "take"));
Controller()(Hook);
class Billing {}
Module({ controllers: [Hook] })(Billing);
const nest = await NestFactory.create(Billing, { logger: false });
await nest.listen(0, "127.0.0.1");
const nestPort = nest.getHttpServer().address().port;

announce(names.map((name) => `${name} ${version(name)}`).join(", "), {
  koa_production_500: page(koaPort),
  koa_production_404: page(koaPort, "/nothing"),
  fastify_default_500: page(fastifyPort),
  fastify_default_404: page(fastifyPort, "/nothing"),
  fastify_connect_error: page(fastifyPort, "/refused"),
  hapi_default_500: page(hapi.info.port),
  hapi_default_404: page(hapi.info.port, "/nothing"),
  hono_default_500: page(honoPort),
  hono_default_404: page(honoPort, "/nothing"),
  nest_default_500: page(nestPort),
  nest_default_404: page(nestPort, "/nothing"),
});
