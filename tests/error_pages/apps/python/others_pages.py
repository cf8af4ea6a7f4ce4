"""Smaller frameworks of Python, several in one process."""

import asyncio
import os
from importlib.metadata import version

import bottle
import cherrypy
import litestar
import tornado.ioloop
import tornado.web
from aiohttp import ClientSession, web
from cheroot.wsgi import Server
from serving import announce, fail, in_thread, listener, page, port_of, uvicorn, waitress


def aiohttp_at(*, debug):
    sock = listener()

    async def hook(_request):
        fail()

    async def ledger(_request):
        async with ClientSession() as client:
            try:
                await client.get("http://127.0.0.1:9/accounts")
            except OSError as error:
                return web.json_response({"error": str(error)}, status=502)

    async def main():
        app = web.Application()
        app.router.add_post("/webhooks/stripe", hook)
        app.router.add_post("/ledger", ledger)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.SockSite(runner, sock).start()
        await asyncio.Event().wait()

    in_thread(lambda: asyncio.run(main(), debug=debug))
    return port_of(sock)


class Hook(tornado.web.RequestHandler):
    def post(self):
        fail()


def tornado_at(*, traced):
    sock = listener()
    sock.setblocking(False)

    async def main():
        server = tornado.httpserver.HTTPServer(
            tornado.web.Application([("/webhooks/stripe", Hook)], serve_traceback=traced)
        )
        server.add_sockets([sock])
        await asyncio.Event().wait()

    in_thread(lambda: asyncio.run(main()))
    return port_of(sock)


def bottle_at(*, debug):
    app = bottle.Bottle()
    app.post("/webhooks/stripe", callback=fail)

    def with_mode(environ, start_response):
        bottle.debug(debug)
        return app.wsgi(environ, start_response)

    return waitress(with_mode)


def cherrypy_at(**config):
    class Root:
        @cherrypy.expose
        def hook(self):
            return fail()

    server = Server(("127.0.0.1", 0), cherrypy.Application(Root(), "", {"/": config}))
    server.prepare()
    in_thread(server.serve)
    return server.bind_addr[1]


@litestar.post("/webhooks/stripe")
async def litestar_hook() -> None:
    fail()


def litestar_at(*, debug):
    return uvicorn(litestar.Litestar([litestar_hook], debug=debug))


aiohttp = aiohttp_at(debug=False)
litestar_production, litestar_debug = litestar_at(debug=False), litestar_at(debug=True)
tornado_production = tornado_at(traced=False)
bottle_production = bottle_at(debug=False)
cherrypy.config.update({"log.screen": False, "engine.autoreload.on": False, "checker.on": False})
announce(
    ", ".join(
        f"{name} {version(name)}" for name in ("aiohttp", "tornado", "bottle", "cherrypy", "cheroot", "litestar")
    ),
    aiohttp_production_500=page(aiohttp),
    aiohttp_production_404=page(aiohttp, "/nothing"),
    aiohttp_502_connect_error=page(aiohttp, "/ledger"),
    aiohttp_debug_500_html=page(aiohttp_at(debug=True), Accept="text/html"),
    tornado_production_500=page(tornado_production),
    tornado_debug_500=page(tornado_at(traced=True)),
    bottle_production_500=page(bottle_production, Accept="text/html"),
    bottle_production_404=page(bottle_production, "/nothing", Accept="text/html"),
    bottle_debug_500=page(bottle_at(debug=True), Accept="text/html"),
    cherrypy_default_500=page(cherrypy_at(), "/hook", method="GET"),
    cherrypy_production_500=page(cherrypy_at(**{"request.show_tracebacks": False}), "/hook", method="GET"),
    litestar_production_500=page(litestar_production),
    litestar_production_404=page(litestar_production, "/nothing"),
    litestar_debug_500_html=page(litestar_debug, Accept="text/html"),
    litestar_debug_500_json=page(litestar_debug, Accept="application/json"),
)
os._exit(0)  # the threads of some servers would go on
