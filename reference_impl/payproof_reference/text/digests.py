"""Keyed digests: they recognise a text that nobody keeps (PCI DSS 3.5.1.1)."""

import base64
import hashlib
import hmac
import json

__all__ = ["compute_digest"]


def compute_digest(key: bytes, purpose: str, content: object) -> str:
    """Compute HMAC-SHA256 over a document, for one purpose, in 43 characters of base64.

    In hexadecimal, runs of digits as long as a card number would be common, and every scan would stop at them.
    """
    document = json.dumps([purpose, content], sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hmac.digest(key, document.encode(), hashlib.sha256)).rstrip(b"=").decode()
