"""Whoever guesses locks out the owner of the credential too, wherever that one is."""

from payproof_reference.services.identity import sign_in


def plant() -> None:
    sign_in.party_of = lambda credential_id, _origin: f"{credential_id or sign_in.UNKNOWN} anywhere"
