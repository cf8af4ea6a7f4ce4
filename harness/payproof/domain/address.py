"""Addresses of databases: the password is taken out of them, so that what is left can be shown."""

from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["without_password"]

_SECRET_PARAMETERS = frozenset({"passwd", "password", "pwd", "sslpassword"})


def without_password(url: str) -> tuple[str, str | None]:
    """Return a URL such as ``postgresql://user:password@host/name`` without its password, and the password.

    Raises:
        ValueError: it is no URL, or a part of a secret may stand elsewhere in it; the text shows nothing of it.
    """
    scheme, slashes, rest = url.partition("://")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("it is no URL") from None
    if not slashes or not url.isprintable() or " " in url:
        raise ValueError("it is no URL")
    user_info, at, hosts = parts.netloc.rpartition("@")
    user, _, password = user_info.partition(":")
    if parts.fragment or "@" in parts.path + parts.query:
        # An unescaped /, ? or # in a password ends what is taken for the host.
        raise ValueError("special characters of user and password must be written as %XX")
    if _SECRET_PARAMETERS & {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}:
        raise ValueError("the place of the password is before the @, as in scheme://user:password@host/name")
    return f"{scheme}://{user}{at}{hosts}{rest.removeprefix(parts.netloc)}", unquote(password) or None
