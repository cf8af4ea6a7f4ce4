"""A dump of the database lies in the folder that is served."""

from tests.defects._access import serve


def plant() -> None:
    serve("/backup.sql", "-- PostgreSQL database dump\n\nCREATE TABLE customers (id text);\n", "application/sql")
