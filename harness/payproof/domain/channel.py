"""Where observations come from."""

from enum import StrEnum

__all__ = ["Channel"]


class Channel(StrEnum):
    """Where an observation comes from."""

    ENTITLEMENT = "entitlement"
    FILE = "file"
    HTTP = "http"
    LOG = "log"
    PROCESS = "process"
    STORE = "store"
    STRIPE = "stripe"
