import io
import json
import logging as standard_logging

import pytest
import structlog

from payproof_reference.services.identity.credentials import Token
from payproof_reference.telemetry import logging
from tests.reference_impl.deliveries import new_secret

CARDS = ["4242" * 4, "4242 4242 4242 4242", "4242-4242-4242-4242", "378282246310005", "6011000990139424"]
SECRETS = [
    new_secret(),
    "sk_" + "live_" + "a1b2c3d4",
    "rk_" + "test_" + "a1b2c3d4",
    Token("cred_" + "abcdefghij" * 2, "A-b_" * 10 + "c0d").reveal(),
    "pi_3Abc" + "_secret_" + "xyz789",
    "t=1700000000,v1=" + "ab" * 32,
    "v1=" + "ab" * 32,
]


@pytest.fixture
def lines():
    """Log to a stream of the test's own, and give the lines that were written."""
    stream = io.StringIO()
    handlers, level = standard_logging.root.handlers[:], standard_logging.root.level
    # Taken off first, because configure() closes what it replaces, and these belong to pytest.
    standard_logging.root.handlers[:] = []
    logging.configure(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    standard_logging.root.handlers[:] = handlers
    standard_logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        *((frame, text) for frame in ("{}", "before {} after", '{{"number":"{}"}}') for text in CARDS + SECRETS),
        *((frame, text) for frame in ("id_{}", "x{}x") for text in CARDS),
    ],
)
def test_payment_data_is_redacted(frame, text):
    """Card numbers and secrets are replaced wherever they stand."""
    shown = logging.redact(frame.format(text))
    assert text not in shown
    assert "[redacted]" in shown


@pytest.mark.parametrize(
    "value",
    [
        "evt_1NG8Du2eZvKYlo2CUI79vXWy",
        "4242424242424241",
        "evt_00000000000000",
        "2026-11-23T03:45:25.479059Z",
        1_700_000_000,
    ],
)
def test_ids_and_times_are_kept(value):
    """What a log is read for survives: ids, times, and digits whose Luhn sum is wrong."""
    assert logging.redact(value) == value


def test_redaction_reaches_into_structures():
    """Numbers, lists, mappings and their keys are redacted too."""
    card = CARDS[0]
    assert logging.redact({"a": [int(card), (card,)], card: True, "n": None}) == {
        "a": ["[redacted]", ["[redacted]"]],
        "[redacted]": True,
        "n": None,
    }


def test_exception_is_reduced_to_type_and_place(lines):
    """Neither the text of an exception nor a value around it is logged."""
    canary = "canary-in-the-exception"
    try:
        {}[canary]
    except LookupError as error:
        structlog.get_logger().error("failed", exc_info=error)
        standard_logging.getLogger("uvicorn.error").exception("also failed")
    for line in lines():
        assert line["exception"] == "KeyError"
        assert "test_logging.py" in line["location"]
        assert line["level"] == "error"
        assert canary not in str(line)


def test_lines_of_libraries_are_json_and_redacted(lines):
    """What uvicorn or asyncio report has the shape of our own lines, with the time in UTC."""
    standard_logging.getLogger("uvicorn.error").warning("Invalid request by %s", CARDS[0])
    standard_logging.getLogger("uvicorn.error").info("chatter")
    (line,) = lines()
    assert (line["event"], line["level"]) == ("Invalid request by [redacted]", "warning")
    assert line["timestamp"].endswith("Z")
