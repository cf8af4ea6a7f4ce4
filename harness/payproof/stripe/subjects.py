"""Puts the texts by which a target finds its customer into Stripe's objects, however deep these stand in an event."""

from typing import Any

from payproof.domain.subject import Subject

__all__ = ["name_subject"]

_CHECKOUT = "checkout.session"


def name_subject(node: Any, subject: Subject) -> None:
    """Put the subject's metadata into every object that has metadata, and its reference into every checkout."""
    if isinstance(node, dict):
        if isinstance(node.get("metadata"), dict):
            node["metadata"].update(subject.metadata)
        if subject.reference and node.get("object") == _CHECKOUT:
            node["client_reference_id"] = subject.reference
        for value in node.values():
            name_subject(value, subject)
    elif isinstance(node, list):
        for value in node:
            name_subject(value, subject)
