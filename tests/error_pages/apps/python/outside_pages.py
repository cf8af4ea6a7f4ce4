"""Servers that are programs of their own, PHP's and nginx: started on free ports, ended with standard input."""

import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from serving import announce, free_port, page

PROGRAM = sys.argv[2]
HANDLER = "php-symfony-error-handler"
PHP = Path(__file__).parents[1] / "php"
NGINX = """
daemon off;
pid nginx.pid;
error_log /dev/null;
events {{}}
http {{
  access_log off;
  {temporary}
  server_tokens {tokens};
  server {{
    listen 127.0.0.1:{port};
    location / {{ root /nowhere; }}
    location /webhooks/ {{ proxy_pass http://127.0.0.1:9; }}
  }}
}}
"""
TEMPORARY = "\n  ".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


def started(stack, port, *command, **more):
    """Start a server and wait until it takes connections."""
    running = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more
    )
    stack.callback(running.wait)
    stack.callback(running.terminate)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return port
    raise TimeoutError(command[0])


def php(stack, script, *settings):
    port = free_port()
    options = [part for setting in ("log_errors=0", *settings) for part in ("-d", setting)]
    return started(stack, port, PROGRAM, "-n", *options, "-S", f"127.0.0.1:{port}", str(PHP / script))


def nginx(stack, tokens):
    port = free_port()
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    Path(folder, "nginx.conf").write_text(NGINX.format(port=port, tokens=tokens, temporary=TEMPORARY))
    return started(stack, port, PROGRAM, "-p", folder, "-c", "nginx.conf", "-e", "/dev/null")


def version(*command):
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return re.search(r"\d+\.\d+[.\d]*", told.stdout + told.stderr)[0]


with ExitStack() as stack:
    if sys.argv[1] == "php":
        quiet = "expose_php=0", "display_errors=0"
        shown = php(stack, "plain.php", "display_errors=1", "html_errors=1", "expose_php=0")
        text = php(stack, "plain.php", "display_errors=1", "html_errors=0", "expose_php=0")
        exposed = php(stack, "plain.php", "display_errors=0", "expose_php=1")
        hidden = php(stack, "plain.php", *quiet)
        symfony = php(
            stack, "symfony.php", *quiet, *(f"extension={name}" for name in ("ctype", "mbstring", "tokenizer"))
        )
        announce(
            f"PHP {version(PROGRAM, '-v')}, symfony/error-handler {version('dpkg-query', '-W', HANDLER)}",
            php_warning_html=page(shown, "/warning"),
            php_uncaught_html=page(shown, "/uncaught"),
            php_uncaught_text=page(text, "/uncaught"),
            php_connect_error=page(text, "/refused"),
            php_trace_shown=page(hidden, "/trace"),
            php_info=page(hidden, "/info"),
            php_exposed_500=page(exposed, "/uncaught"),
            php_hidden_500=page(hidden, "/uncaught"),
            php_hidden_404=page(hidden, "/nothing"),
            symfony_debug_500=page(symfony, "/?mode=debug"),
            symfony_production_500=page(symfony, "/?mode=production"),
        )
    else:
        named, bare = nginx(stack, "on"), nginx(stack, "off")
        announce(
            version(PROGRAM, "-v"),
            nginx_default_404=page(named, "/nothing", method="GET"),
            nginx_default_502=page(named),
            nginx_without_version_404=page(bare, "/nothing", method="GET"),
            nginx_without_version_502=page(bare),
        )
