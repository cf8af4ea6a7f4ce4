"""How each kind of problem is mended, in the words of an engineer."""

from payproof.domain.channel import Channel

__all__ = ["find_remedy"]


def find_remedy(kind: str, channel: Channel, framework: str, sdk: str | None) -> str:
    """Return one or two sentences; with a line for the framework or the SDK where there is one."""
    return ""
