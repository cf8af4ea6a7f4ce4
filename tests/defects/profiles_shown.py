"""Profiles of the process are there for anybody."""

from tests.defects._access import serve


def plant() -> None:
    serve("/debug/pprof/", "<html>Types of profiles available:</html>", "text/html")
