"""The repository that the service was deployed from is served."""

from tests.defects._access import serve


def plant() -> None:
    serve("/.git/config", "[core]\n\trepositoryformatversion = 0\n")
