"""Remedies for data where it must not be."""

from collections.abc import Mapping

from payproof.domain.channel import Channel
from payproof.domain.kind import Kind
from payproof.engine.remedies.lines import FILTERS
from payproof.engine.remedies.remedy import Remedy

__all__ = ["DATA"]

_LOG = "Log ids and types, never a body, a header or an object of Stripe's, and purge the log of what it holds."
_FILE = "Write no body and no object of Stripe's to files, caches or dumps, and delete the files that hold one."
_HTTP = "Answer with named fields of your own, never with Stripe's object or with what the request held."
_STORE = "Keep Stripe's ids only (cus_..., pm_..., pi_...): drop the column or the JSON key, and purge what it holds."


def _compose(general: str, store: str = _STORE, http: str = _HTTP, log: str = _LOG, file: str = _FILE) -> Remedy:
    """Return a remedy for each place in which data may be found."""
    return Remedy(
        general,
        by_channel={
            Channel.STORE: Remedy(store),
            Channel.HTTP: Remedy(http),
            Channel.LOG: Remedy(log, frameworks=FILTERS),
            Channel.FILE: Remedy(file),
        },
    )


_ROLL = "Whoever can read it has it by now: roll it."

DATA: Mapping[str, Remedy] = {
    Kind.CARD_DATA: _compose(
        "Take card data out: let the browser give it to Stripe (Elements, Checkout), and keep Stripe's ids only."
    ),
    Kind.CARD_PARTS: _compose(
        "Keep one part of a card number at most, the last four digits, everywhere.",
        store="Keep one part of a card number at most, the last four digits: drop the column with the other part.",
    ),
    Kind.CARD_FACTS: _compose(
        "Ask Stripe for brand, expiry and issuer by the pm_... id where they are shown, and keep none of them.",
        store="Drop the column, and ask Stripe for brand, expiry and issuer by the pm_... id; or give a reason to keep "
        "it in [[contract.keeps]].",
    ),
    Kind.BANK_DATA: _compose(
        "Keep Stripe's id of the bank account (pm_..., ba_...), and its last four digits at most."
    ),
    Kind.SECRET: _compose(
        f"Take the secret from a variable or a secret store, and pass it to nothing else. {_ROLL}",
        store=f"Take the secret from a variable or a secret store, and drop the column that holds it. {_ROLL}",
        http=f"Answer with named fields of your own, never with configuration, headers or exceptions. {_ROLL}",
        log=f"Log no headers, configuration or exceptions whole. {_ROLL}",
        file=f"Take the secret from a variable or a secret store, and delete the file. {_ROLL}",
    ),
    Kind.SIGNATURE: _compose(
        "Drop the Stripe-Signature header once it is verified.",
        store="Drop the column: once a signature is verified nobody needs it.",
        log="Log no request headers; where a refusal is logged, name its cause in place of its signature.",
    ),
    Kind.PERSONAL_DATA: _compose(
        "Keep Stripe's ids, and ask Stripe for names and addresses by them where they are shown.",
        store="Keep Stripe's ids, and ask Stripe for names and addresses by them; or give a reason to keep the column "
        "in [[contract.keeps]].",
    ),
    Kind.OTHER_DATA: _compose("Take the value out, and keep ids in its place."),
    Kind.REFUSED_TEXT: _compose(
        "Note the cause and the length of what was refused, and nothing of its text.",
        store="Note the cause and the length of what was refused; its text is whatever somebody chose to send.",
        http="Answer every refusal with one fixed body.",
        log="Log the cause and the length of what was refused; its text is whatever somebody chose to send.",
    ),
    Kind.TYPED_DATA: _compose(
        "Search texts that people type for card numbers before they are kept, and mask them there.",
        store="Keep no text that people type, or mask card numbers in it (13 to 19 digits that pass Luhn) before it is "
        "kept.",
    ),
    Kind.DIGEST: Remedy(
        "Drop the digest, or make it by HMAC with a key from a secret store: all card numbers can be tried on a plain "
        "hash."
    ),
    Kind.PAYMENT_COLUMN: Remedy("Drop the column, or say in [[contract.keeps]] what it holds and why."),
    Kind.KEPT_TOO_LONG: Remedy(
        "Let the purge of [retention] remove these rows too once they are due, by the time that the contract counts "
        "from; or put more days into [[retention.rows]]."
    ),
    Kind.REMOVED_TOO_SOON: Remedy(
        "Let the purge remove only what is due: compare the time that the contract counts from, in UTC, and leave "
        "out the rows that stay. Else put fewer days into [[retention.rows]]."
    ),
    Kind.NOT_AS_DESCRIBED: Remedy(
        "Correct [[retention.rows]]: the table, the event that makes a row, or the values that are written. No row "
        "came to be as they say."
    ),
}
