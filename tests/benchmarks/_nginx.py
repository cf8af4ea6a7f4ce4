"""A plain nginx that answers 204 to everything: how far a client can go when the server costs nothing."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks._machine import free_port, program

__all__ = ["nginx"]

_START_SECONDS = 5.0
_STOP_SECONDS = 5.0
_CONFIGURATION = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 60s;
    client_max_body_size 1m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 204; }}
    }}
}}
"""


@contextmanager
def nginx() -> Iterator[str]:
    """Run nginx with one worker on a free port of 127.0.0.1, and yield its URL."""
    executable = program("nginx")
    assert executable is not None
    with tempfile.TemporaryDirectory(prefix="payproof-bench-") as name:
        folder, port = Path(name), free_port()
        configuration = folder / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port))
        with (folder / "said.log").open("wb") as said:
            process = subprocess.Popen(
                (executable, "-p", name, "-c", str(configuration)), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        try:
            _wait(process, port, folder / "said.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError(f"nginx does not listen: {said.read_text(errors='replace').strip()}")
