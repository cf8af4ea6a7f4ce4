"""The faults that have a name: one for each thing that goes wrong between a merchant and Stripe."""

from collections.abc import Mapping

from payproof.stripe.upstream.faults import (
    Alteration,
    Altered,
    ConnectionFault,
    Fault,
    Moment,
    Redirect,
    Reset,
    Written,
)

__all__ = ["FAULTS", "STALLED", "UNSAFE_CONNECTIONS"]

_HTML = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx upstream 10.0.0.7</body></html>"
_MALFORMED = b'{"id": "cus_1", "object": "customer", '
# Late, and still within what any client waits; and later than any should wait.
_SLOW, _STALLED = 1.0, 90.0


def _faults() -> list[Fault]:
    before, during, after = Moment.BEFORE, Moment.DURING, Moment.AFTER
    return [
        Fault("reset_before", before, Reset()),
        Fault("reset_after", after, Reset()),
        Fault("slow_before", before, seconds=_SLOW),
        Fault("slow_during", during, seconds=_SLOW),
        Fault("slow_after", after, seconds=_SLOW),
        Fault("stalled_before", before, seconds=_STALLED),
        Fault("stalled_after", after, seconds=_STALLED),
        Fault("slow_body", after, Altered(Alteration.SLOW, _SLOW)),
        Fault("stalled_body", after, Altered(Alteration.SLOW, _STALLED)),
        Fault("cut_json", after, Altered(Alteration.CUT)),
        Fault("torn_body", after, Altered(Alteration.TORN)),
        Fault("length_too_long", after, Altered(Alteration.TOO_LONG)),
        Fault("length_too_short", after, Altered(Alteration.TOO_SHORT)),
        Fault("wrong_type", after, Altered(Alteration.WRONG_TYPE)),
        Fault("malformed_json", after, Written(200, content=_MALFORMED)),
        Fault("malformed_error", before, Written(500, content=_MALFORMED)),
        Fault("not_an_object", after, Written(200, content=b"[]")),
        Fault("null", after, Written(200, content=b"null")),
        Fault("not_utf8", after, Written(200, content=b'{"id": "\xff\xfe"}')),
        Fault("deep_json", after, Written(200, content=b"[" * 100_000)),
        Fault("empty_object", after, Written(200, content=b"{}")),
        Fault("empty_body", after, Written(200)),
        Fault("empty_error", before, Written(500)),
        Fault("html", after, Written(200, content=_HTML, content_type="text/html")),
        Fault("html_bad_gateway", before, Written(502, content=_HTML, content_type="text/html")),
        *(Fault(f"redirect_{status}", before, Redirect(status)) for status in (301, 302, 303, 307, 308)),
        Fault("redirect_to_http", before, Redirect(307, downgrade=True)),
    ]


#: By name; the errors of Stripe's documentation have theirs in ``errors.Catalogue``.
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _faults()}

#: Those that hold a call up for longer than anybody should wait.
STALLED = frozenset(name for name in FAULTS if name.startswith("stalled_"))

#: By name, the connections on which nothing may be sent (PCI DSS 4.2.1): nobody vouches for them, or they are too old.
UNSAFE_CONNECTIONS: Mapping[str, ConnectionFault] = {
    fault.value: fault
    for fault in (
        ConnectionFault.SELF_SIGNED,
        ConnectionFault.UNTRUSTED,
        ConnectionFault.EXPIRED,
        ConnectionFault.NOT_YET_VALID,
        ConnectionFault.WRONG_HOST,
        ConnectionFault.TLS_1_0,
        ConnectionFault.TLS_1_1,
    )
}
