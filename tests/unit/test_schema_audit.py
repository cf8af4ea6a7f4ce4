import pytest

from payproof.domain.finding import Confidence, Severity
from payproof.domain.tables import Column
from payproof.schema_audit import audit_columns, list_json_keys

BAD = {
    "card_number": "card number",
    "cardNumber": "card number",
    "CARDNUMBER": "card number",
    "creditcard": "card number",
    "cc_num": "card number",
    "ccnumber": "card number",
    "pan": "card number",
    "pan_encrypted": "card number",
    "primary_account_number": "card number",
    "cvc": "card verification code",
    "CVV2": "card verification code",
    "cvvCode": "card verification code",
    "card_security_code": "card verification code",
    "pin_block": "PIN",
    "track2": "track data",
    "track_data": "track data",
    "iban": "IBAN",
    "bank_account_number": "bank account",
    "client_secret": "secret",
    "webhookSecret": "secret",
    "payload.card.number": "card number",
    "card_numbers": "card number",
    "card_number_enc": "card number",
    "raw_card_number": "card number",
    "cvv_plaintext": "card verification code",
    "ibans": "IBAN",
    "bank_account_number_2": "bank account",
}
GOOD = [
    "card_last4", "card_brand", "card_id", "payment_method", "cvc_check", "cvcCheck", "pan_last_four", "company",
    "panel", "cc", "cc_emails",
    "shipping", "opinion", "tracking_number", "track_id", "card_exp_month", "number", "invoice_number", "order.number",
    "pin_attempts", "security_code_verified_at", "account_id", "has_credit_card", "card_fingerprint", "api_key_hash",
    "spinner", "cc_enabled", "success", "accepted",
    "supported_bank_account_currencies", "bank_account_country", "card_number_format", "pan_entry_mode", "iban_prefix",
    "account_number_type", "accepts_credit_card", "webhook_secret_version", "cvc_policy", "pin_code_attempts_left",
    "bank_account_holder_type", "track_data_capability", "client_secret_expiry", "request_id", "response_code",
]  # fmt: skip


@pytest.mark.parametrize(("name", "what"), BAD.items())
def test_columns_for_payment_data_are_named(name, what):
    """A column whose name says payment data is told, in any spelling."""
    (suspect,) = audit_columns([Column("t", name, "text")])
    assert what in suspect.what
    assert suspect.confidence in {Confidence.HIGH, Confidence.MEDIUM}


@pytest.mark.parametrize("name", GOOD)
def test_columns_about_payment_data_are_not(name):
    """A name that says something about the data, or only looks alike, is none."""
    assert not list(audit_columns([Column("t", name, "text")]))


def test_types_tell_too():
    """A text or number as long as a card number is told, surely only with such a name; a time or a boolean never."""
    shapes = [Column("t", "number", "character varying(19)"), Column("t", "x", "numeric(16,0)")]
    assert [one.confidence for one in audit_columns(shapes)] == [Confidence.MEDIUM, Confidence.LOW]
    held = [Column("t", "cvc", "boolean"), Column("t", "pan", "timestamp"), Column("t", "price", "numeric(16,2)")]
    assert not list(audit_columns(held))
    (payload,) = audit_columns([Column("t", "raw_payload", "jsonb")])
    assert (payload.severity, payload.confidence) == (Severity.LOW, Confidence.LOW)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("request_id", "varchar(50)"),
        ("request_id", "character varying(64)"),
        ("request_id", "text"),
        ("response_code", "char(3)"),
        ("request", "varchar(36)"),
        ("raw_body_hash", "char(64)"),
        ("dump_size", "bigint"),
        ("request_charge", "integer"),
    ],
)
def test_what_is_about_a_payload_is_none(name, type_):
    """A reference to a request, its size or its digest could not hold it, whatever letters its type has in it."""
    assert not list(audit_columns([Column("t", name, type_)]))


@pytest.mark.parametrize(
    "type_",
    ["varchar(4000)", "varchar2(4000 char)", "text", "LONGTEXT", "jsonb", "character varying", "bytea", "nclob"],
)
def test_whole_payloads_are_told_in_every_type_that_holds_one(type_):
    """A column named after a request or a payload is told where its type can hold one."""
    (suspect,) = audit_columns([Column("t", "request_body", type_)])
    assert suspect.what.startswith("whole payloads")


@pytest.mark.parametrize(
    "type_", ["varchar(16)", "nvarchar(19)", "CHAR (16)", "numeric(16)", "character(15)", "VARCHAR2(16 CHAR)"]
)
def test_length_of_a_card_number_is_read_in_every_spelling(type_):
    """A type as long as a card number is told by its length, however the database writes it."""
    (suspect,) = audit_columns([Column("t", "number", type_)])
    assert suspect.confidence is Confidence.MEDIUM


def test_keys_of_json_are_paths():
    """Keys are found in nested objects and lists."""
    keys = set(list_json_keys({"a": [{"card": {"number": 1}}], "b": 2}))
    assert keys == {"a", "a.card", "a.card.number", "b"}
