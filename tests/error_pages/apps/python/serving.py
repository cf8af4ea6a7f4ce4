"""Serves applications on free ports of the loopback, tells where their pages are, and ends with standard input."""

import json
import socket
import sys
import threading

HOOK = "/webhooks/stripe"
HTML = {"Accept": "text/html"}
EVENT = json.dumps({"id": "evt_1", "type": "invoice.paid"})


def fail() -> str:
    """Fail as handlers do: a field that is not there."""
    event = json.loads(EVENT)
    return event["data"]["object"]["customer"]


def in_thread(work) -> None:
    threading.Thread(target=work, daemon=True).start()


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def port_of(sock: socket.socket) -> int:
    return sock.getsockname()[1]


def free_port() -> int:
    with listener() as sock:
        return port_of(sock)


def waitress(app) -> int:
    """Serve a WSGI application by waitress, as in production; return the port."""
    from waitress import create_server  # noqa: PLC0415 (not every program serves with it)

    server = create_server(app, host="127.0.0.1", port=0, threads=1)
    in_thread(server.run)
    return server.effective_port


def uvicorn(app) -> int:
    """Serve an ASGI application by uvicorn; return the port."""
    import uvicorn as server  # noqa: PLC0415

    sock = listener()
    config = server.Config(app, log_config=None, lifespan="off")
    in_thread(lambda: server.Server(config).run(sockets=[sock]))
    return port_of(sock)


def page(port: int, path: str = HOOK, method: str = "POST", body: str = EVENT, **headers: str) -> dict[str, object]:
    """Tell how a page is asked for."""
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {"port": port, "path": path, "method": method, "headers": given, "body": "" if method == "GET" else body}


def announce(version: str, **pages: dict[str, object]) -> None:
    """Tell where the pages are, under their names, and serve until standard input ends."""
    sys.stdout.write(json.dumps({"version": version, "pages": pages}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
