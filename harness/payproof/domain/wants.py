"""What of a target file would let cases be judged that cannot be: tables and keys, by the names that reports use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from payproof.domain.observation import Channel

__all__ = ["CHANNEL_WANTS", "WANTS", "Gap", "sort_wants"]

#: Every table or key that a case may want, in the order in which a target file is best completed, with what it tells.
WANTS: Mapping[str, str] = {
    "[[stores]]": "the database that your system works with",
    "[upstream]": "where your system reaches Stripe",
    "[upstream] url": "the same by HTTPS",
    "[upstream.prices]": "a second price that your system knows",
    "[operations]": "what of your system makes it call Stripe",
    "[entitlements]": "how it is seen that somebody has what they pay for",
    "[entitlements.NAME.other]": "somebody else, who must get nothing of it",
    "[entitlements.NAME] price": "which of your prices gives it",
    "[entitlements.NAME] amount": "what it costs, where your system compares that itself",
    "[entitlements.NAME] success": "the page to which Checkout leads back",
    "[principals]": "who asks for operations, by which credential",
    "[principals] may": "who may not do which operation",
    "[principals] tenant": "somebody of another tenant",
    "[principals] expired": "a credential that is good no more",
    "[contract.access]": "how your system refuses who may not",
    "routes": "what can be read, by the ids that operations keep",
    "[contract.operations] reference": "where an answer names what leads to the log",
    "[contract.operations] breaker_after": "after how many failures Stripe is left alone",
    "[[logs]]": "what your system logs",
    "[contract.rejection_record]": "how a log line tells of a rejected delivery",
    "openapi": "the document that describes your routes",
    "[process]": "how your system is started",
    "[process] secret_variable": "from where it takes the webhook's secret",
    "[process] api_key_variable": "from where it takes Stripe's API key",
    "[process] refuses_live_keys": "the promise not to start with a live key",
    "[[files]]": "dumps, caches and temporary files",
    "[store_outage]": "how your database is taken away",
    "[store_faults]": "how your database restarts, refuses changes, or loses a connection",
    "[retention]": "how long rows are kept, and what removes them",
    "[[retention.rows]]": "how rows of such an age are planted",
    "[contract] handles": "which types of events have an effect",
    "[contract.lockout]": "what becomes of who guesses a credential",
    "[contract] mirrors": "which columns hold what Stripe says",
    "[webhook] connect": "that the endpoint is for Connect",
    "[endpoints]": "further endpoints with secrets of their own",
    "[webhook] livemode": "that the endpoint is one of live mode",
    "[webhook] previous_secret_env": "a secret in its time of rotation",
    "[webhook] retired_secret_env": "a secret after its rotation",
    "api_key_env": "your test key, which must not verify webhooks",
    "publishable_key": "your publishable key, which must not verify webhooks",
    "pip install 'payproof[fuzz]'": "what makes requests up",
}
#: What opens a channel of which nothing was seen.
CHANNEL_WANTS: Mapping[Channel, str] = {
    Channel.STORE: "[[stores]]",
    Channel.LOG: "[[logs]]",
    Channel.FILE: "[[files]]",
    Channel.STRIPE: "[upstream]",
    Channel.ENTITLEMENT: "[entitlements]",
}
_RANKS = {name: rank for rank, name in enumerate(WANTS)}


@dataclass(frozen=True, slots=True)
class Gap:
    """Why something cannot be judged, and by which tables or keys of the target file it could; without any by none."""

    why: str
    wants: tuple[str, ...] = ()


def sort_wants(wants: Iterable[str]) -> tuple[str, ...]:
    """Return each table or key once, in the order in which a target file is best completed."""
    return tuple(sorted(dict.fromkeys(wants), key=lambda one: (_RANKS.get(one, len(_RANKS)), one)))
