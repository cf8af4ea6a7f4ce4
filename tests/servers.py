"""Real MariaDB and Redis servers for tests, as processes of their own on 127.0.0.1."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from getpass import getuser
from pathlib import Path
from urllib.parse import quote

import pymysql
import redis

from tests.components import need

__all__ = ["mariadb", "redis_server"]

_SECONDS = 60
_MARIADB_SQL = (Path("/usr/share/mysql"), Path("/usr/share/mariadb"))
_SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")


@contextmanager
def mariadb() -> Iterator[str]:
    """Start an empty server; yield its administrator's URL, with a password and without a database."""
    server = shutil.which("mariadbd", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    tables = next((one for one in _MARIADB_SQL if one.is_dir()), None)
    need("MariaDB", present=server is not None and tables is not None)
    password = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="payproof-mariadb-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        usual = ["--no-defaults", f"--datadir={data}", f"--user={getuser()}"]
        # What mariadb-install-db does, which asks for a program of another package.
        system = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"
        system += "\n".join((tables / name).read_text() for name in _SYSTEM_TABLES)
        done = subprocess.run(
            [server, *usual, "--bootstrap", "--silent-startup"],
            input=system,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        port, place = _free_port(), Path(folder) / "s"
        options = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={place}", "--skip-name-resolve"]
        fast = ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--skip-log-bin"]

        def ready() -> None:
            place.stat()  # a connection that fails here would leave its socket open
            with pymysql.connect(user="root", unix_socket=str(place)) as connection, connection.cursor() as cursor:
                cursor.execute("CREATE USER 'admin'@'%%' IDENTIFIED BY %s", (password,))
                cursor.execute("GRANT ALL ON *.* TO 'admin'@'%' WITH GRANT OPTION")

        with _running([server, *usual, *options, *fast], Path(folder) / "log", ready):
            yield f"mysql://admin:{quote(password)}@127.0.0.1:{port}/"


@contextmanager
def redis_server() -> Iterator[str]:
    """Start an empty server; yield its URL, with a password."""
    server = shutil.which("redis-server")
    need("Redis", present=server is not None)
    port, password = _free_port(), secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="payproof-redis-") as folder:
        options = {"bind": "127.0.0.1", "port": port, "dir": folder, "save": "", "requirepass": password}
        command = [server, *(part for name, value in options.items() for part in (f"--{name}", str(value)))]
        with _running(command, Path(folder) / "log", redis.Redis(port=port, password=password).ping):
            yield f"redis://:{password}@127.0.0.1:{port}"


@contextmanager
def _running(command: list[str], log: Path, ready: Callable[[], object]) -> Iterator[None]:
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            until = time.monotonic() + _SECONDS
            while True:
                with suppress(pymysql.Error, redis.RedisError, OSError):
                    ready()
                    break
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            yield
        finally:
            process.kill()  # nothing of it is kept
            process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
