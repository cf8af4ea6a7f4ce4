import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof_reference.services.events import webhooks
from payproof_reference.services.events.webhooks import Cause, RejectedError
from payproof_reference.settings import PreviousSecret
from tests.reference_impl.deliveries import event, new_secret, sign

NOW = 1_700_000_000
SECRET = new_secret()
BODY = event()
V1 = webhooks.signature_of(NOW, BODY, SECRET)


def cause_of(*headers: str, body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,)) -> Cause | None:
    """Give the cause of refusal, or None when the delivery is verified."""
    try:
        webhooks.verify(headers, body, secrets, NOW, 300)
    except RejectedError as rejection:
        return rejection.cause
    return None


@pytest.mark.parametrize("age", [-300, -1, 0, 290, 300])
def test_genuine_delivery_is_accepted(age):
    """A signature made by the SDK passes up to the tolerance, in both directions."""
    assert cause_of(sign(BODY, SECRET, NOW - age)) is None


@pytest.mark.parametrize("age", [-31_536_000, -86_400, -301, 301, 3600, NOW - 12345, NOW])
def test_timestamp_outside_tolerance_is_refused(age):
    """A genuine signature that is too old, or of the future, is refused."""
    assert cause_of(sign(BODY, SECRET, NOW - age)) is Cause.TIMESTAMP_OUTSIDE_TOLERANCE


@pytest.mark.parametrize(
    "header",
    [
        f"t={NOW},v1=" + "0" * 64 + f",v1={V1}",
        f"t={NOW},v1=junk,v1=,v1={V1}",
        f"v1={V1},t={NOW}",
        f"t={NOW},v1={V1},v0=" + "0" * 64,
    ],
)
def test_any_matching_v1_is_enough(header):
    """During a rotation one of several v1 entries matches, at any place."""
    assert cause_of(header) is None


@pytest.mark.parametrize("headers", [(), ("",), ("", "")])
def test_missing_header_is_refused(headers):
    """No header and an empty header are the same."""
    assert cause_of(*headers) is Cause.MISSING_HEADER


@pytest.mark.parametrize(
    "header",
    [
        *(
            "t",
            ",",
            "=",
            "v1",
            "v1,t=1",
            "t=",
            "plain text",
            f"t={NOW}",
            f"v1={V1}",
            f"t={NOW},v1={V1},",
            f"t={NOW};v1={V1}",
        ),
        *(
            f"t={text},v1={V1}"
            for text in ("abc", "1.5", "NaN", "inf", "-1", "9" * 5000, str(2**63), f"+{NOW}", f"000{NOW}", "1700_000")
        ),
        f"t={''.join(chr(ord(digit) + 0xFEE0) for digit in str(NOW))},v1={V1}",
        f"t={NOW},v1=\xe9{V1[1:]}",
        f"t={NOW},v1=" + "\xe9" * 64,
        f"t=1,t={NOW},v1={V1}",
        f"t={NOW},t={NOW},v1={V1}",
        f"t={NOW},v1={V1},t={NOW},v1={V1}",
        f"t={NOW}," + f"v1={V1}," * 9_999 + f"v1={V1}",
        f"t={NOW}," + "v1=0," * 16 + f"v1={V1}",
    ],
)
def test_malformed_header_is_refused(header):
    """Whatever is not exactly one plain timestamp and a few ASCII signatures is refused, right signature or not."""
    assert cause_of(header) is Cause.MALFORMED_HEADER


def test_second_header_is_refused():
    """Two headers are refused in either order, even when one of them is good."""
    good, bad = f"t={NOW},v1={V1}", f"t={NOW},v1=" + "0" * 64
    assert {cause_of(good, bad), cause_of(bad, good), cause_of(good, good)} == {Cause.MALFORMED_HEADER}


@pytest.mark.parametrize(
    "header",
    [
        *(f"t={NOW},v1={V1[:length]}" for length in (0, 1, 8, 32, 63)),
        f"t={NOW},v1={V1}0",
        f"t={NOW},v1={V1.upper()}",
        f"t={2**31},v1={V1}",
        f"t={NOW},v1={webhooks.signature_of(NOW, BODY, new_secret())}",
        f"t={NOW},v1={webhooks.signature_of(NOW, BODY, SECRET.removeprefix('whsec_'))}",
        f"t={NOW},v1={webhooks.signature_of(NOW, BODY, '')}",
        f"t={NOW},v1={webhooks.signature_of(NOW, b'', SECRET)}",
        f"t={NOW},v1={webhooks.signature_of(NOW + 1, BODY, SECRET)}",
    ],
)
def test_wrong_signature_is_refused(header):
    """A truncated, lengthened, foreign or otherwise computed signature is refused."""
    assert cause_of(header) is Cause.NO_MATCHING_SIGNATURE


@pytest.mark.parametrize("scheme", ["v0", "v2", "V1", " v1", "v1 "])
def test_other_scheme_is_refused(scheme):
    """A right signature under another name does not count."""
    assert cause_of(f"t={NOW},{scheme}={V1}") is Cause.MALFORMED_HEADER


@pytest.mark.parametrize(
    "body",
    [
        BODY + b"\n",
        BODY + b" ",
        b"\xef\xbb\xbf" + BODY,
        BODY.replace(b": ", b":"),
        BODY.replace(b"evt_", b"\\u0065vt_"),
        BODY[:-1] + b', "livemode": true}',
        b"",
    ],
)
def test_changed_body_is_refused(body):
    """The signature covers the bytes and not their meaning."""
    assert cause_of(f"t={NOW},v1={V1}", body=body) is Cause.NO_MATCHING_SIGNATURE


@given(st.lists(st.text() | st.from_regex(r"(t|v1|v0)=[0-9a-f]*(,(t|v1)=[^,]*)*"), max_size=3), st.binary(max_size=50))
def test_no_header_and_no_body_breaks_verification(headers, body):
    """Every text is either refused or verified, without any other exception."""
    assert cause_of(*headers, body=body) in set(Cause)


@given(st.binary())
def test_signature_is_that_of_the_sdk(body):
    """The signature of any text agrees with the SDK's."""
    text = body.hex().encode()
    assert sign(text, SECRET, NOW).endswith(webhooks.signature_of(NOW, text, SECRET))


def test_rolled_secret_is_valid_until_its_end(settings):
    """A previous secret is a candidate in the last second of its window and in none after."""
    rolled = new_secret()
    previous = PreviousSecret(secret=rolled, valid_until=datetime.fromtimestamp(NOW, UTC))
    rolling = settings.model_copy(update={"stripe_previous_webhook_secrets": (previous,)})
    current = settings.stripe_webhook_secret.get_secret_value()
    assert webhooks.candidate_secrets(rolling, NOW) == (current, rolled)
    assert webhooks.candidate_secrets(rolling, NOW + 1) == (current,)


def test_event_is_read():
    """A snapshot event is read from any spacing and script."""
    text = json.dumps(json.loads(event("invoice.paid", {"name": "Zoë 李"})), indent=3, ensure_ascii=False)
    assert webhooks.parse(text.encode()).data.object == {"name": "Zoë 李"}


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"1", b'"event"', b"{}", b"{", b"NaN", b"\xff", b"\xef\xbb\xbf" + BODY),
        *(BODY.decode().encode(encoding) for encoding in ("utf-16", "utf-32")),
        b"[" * 100_000,
        b'{"data":' * 100_000,
        BODY[:-1] + b', "livemode": false}',
        BODY.replace(b"1700000000", b"9" * 5000),
        BODY.replace(b'"cus_1"', b"NaN"),
        *(
            event(**{name: value})
            for name, value in [
                *(("id", value) for value in (None, 1, "", "evt_", "cus_1", "evt_\ud800", "evt_1\n")),
                *(("object", value) for value in (None, "v2.core.event", "list")),
                *(("type", value) for value in (None, "", "Invoice", "a.b\n", "a." + "b" * 100)),
                *(("created", value) for value in (None, True, "1", 1.5, -1, 10**11)),
                *(("livemode", value) for value in (None, 0, "false")),
                *((name, value) for name in ("account", "context") for value in (1, True, {}, ["acct_1"])),
                *(("data", value) for value in (None, [], {}, {"object": None}, {"object": []})),
            ]
        ),
    ],
)
def test_signed_body_that_is_no_event_is_refused(body):
    """Whatever is signed and not a well-formed snapshot event is refused, without any other exception."""
    with pytest.raises(RejectedError) as refusal:
        webhooks.parse(body)
    assert refusal.value.cause is Cause.NOT_AN_EVENT
