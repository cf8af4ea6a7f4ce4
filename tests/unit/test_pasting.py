"""The lines that a target file lacks: each block can be pasted into it, and the file can then be read."""

import json
import re
import tomllib
from dataclasses import replace

import pytest

from payproof.domain.needs import NEEDS
from payproof.domain.wants import WANTS
from payproof.engine.judge import skip
from payproof.language import read_target
from payproof.session import all_scenarios, choose
from payproof.session.local_sources import LocalStore
from payproof.session.pasting import Known, propose_keeps, write_block
from payproof.session.project_files import Project
from payproof.session.recognition import LANGUAGES, Recognised

FILE = """\
name = "shop"
url = "http://127.0.0.1:8000"
environment = "local"

[webhook]
path = "/stripe/webhook"
secret_env = "HOOK_SECRET"
api_version = "2026-08-26.dahlia"

[[stores]]
name = "database"
url = "sqlite:shop.db"

[contract]
rejected = [400]
"""
#: A value for each variable that a block may name.
VARIABLES = {
    "HOOK_SECRET": "whsec_" + "0123456789abcdef",
    "STRIPE_PREVIOUS_WEBHOOK_SECRET": "whsec_" + "fedcba9876543210",
    "STRIPE_RETIRED_WEBHOOK_SECRET": "whsec_" + "00112233445566",
    "STRIPE_SECRET_KEY": "sk_" + "test_" + "0123456789abcdef",
    "SHOP_URL": "sqlite:shop.db",
    "BILLING_READER_TOKEN": "token-of-reader",
    "BILLING_NEIGHBOUR_TOKEN": "token-of-neighbour",
    "BILLING_LEAVER_TOKEN": "token-of-leaver",
    "BILLING_GUESSED_TOKEN": "token-of-guessed",
}
CHARGED = {
    "components": {
        "schemas": {
            "Order": {"required": ["price", "seats"], "properties": {"price": {"example": "price_1"}, "seats": {}}}
        }
    },
    "paths": {
        "/orders/{order}/pay": {
            "post": {
                "security": [{"bearer": []}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
            }
        }
    },
}
REFUSAL = json.dumps(
    {"msg": "delivery refused", "ts": "2026-11-30T07:00:00Z", "reason": "no header", "ip": "127.0.0.1"}
)


def known(tmp_path, text=FILE, **more):
    """Return what is known of a target that a file describes."""
    return Known(read(tmp_path, text), tomllib.loads(text), **more)


def read(tmp_path, text):
    """Read a target file, with every variable that a block may name."""
    file = tmp_path / "payproof.toml"
    file.write_text(text, encoding="utf-8")
    return read_target(file, VARIABLES)


def paste(text, block):
    """Put a block where it says that it goes."""
    if block.place == "top":
        return block.text + text
    if block.place:
        header = f"[{block.place}]\n"
        assert header in text
        return text.replace(header, header + block.text, 1)
    return f"{text}\n{block.text}"


def kinds(tmp_path):
    """Return several targets, of which different things are known."""
    yield known(tmp_path)
    yield known(
        tmp_path,
        made_of=Recognised("django", "a page", "python", "a file"),
        project=Project(start=("npm", "start")),
        document="/openapi.json",
        openapi=CHARGED,
        store=LocalStore("sqlite:other.db"),
        log="file:app.log",
        refusal=(REFUSAL,),
        kept={"invoice.paid": ("database.events", "database.paid"), "charge.succeeded": ("database.events",)},
    )
    yield known(
        tmp_path,
        FILE.replace("http://127.0.0.1:8000", "https://shop.example").replace("sqlite:shop.db", "postgresql://u@h/d"),
        store=LocalStore(variable="SHOP_URL"),
        refusal=("refused", "{}"),
    )
    told = FILE + '\n[upstream]\nurl = "http://127.0.0.1:1"\n[process]\nstart = ["./go", "{port}"]\n'
    told += '[retention]\npurge = ["x"]\n[[retention.rows]]\ntable = "a"\ndays = 400\n'
    yield known(tmp_path, told + "[contract.operations]\nanswer_within = 5.0\n", openapi=CHARGED)


@pytest.mark.parametrize("want", sorted(WANTS))
def test_every_block_can_be_pasted(tmp_path, want):
    """Whatever is known of a target, what is written for a table or key is read where it is pasted, or is a note."""
    for one in kinds(tmp_path):
        text = (tmp_path / "payproof.toml").read_text()
        for needs in (("charging",), ("writing", "charging"), ("refund",), ()):
            block = write_block(want, one, needs)
            if not _can_be_wanted(text, want):
                continue
            if block is None:
                assert want.startswith("pip install")
            elif block.text:
                read(tmp_path, paste(_with_upstream(text, want), block))
            else:
                assert block.note


def _can_be_wanted(text, want):
    """Whether a file may lack it: a whole table only where it is not there, a key of one only where it is."""
    whole = re.fullmatch(r"\[(process|upstream|retention)\]", want)
    inner = re.fullmatch(r"\[(process|upstream)\] \w+|\[\[(retention)\.rows\]\]", want)
    there = tomllib.loads(text)
    return (whole is None or whole[1] not in there) and (inner is None or (inner[1] or inner[2]) in there)


def _with_upstream(text, want):
    """Return the text with what operations ask for: that comes with the block before theirs."""
    has_no = want == "[operations]" and "[upstream]" not in text
    return text + '\n[upstream]\nurl = "http://127.0.0.1:12111"\n' if has_no else text


def test_what_is_pasted_is_no_longer_missing(tmp_path):
    """A target whose file has every block that was written misses none of what those blocks are for."""
    cases = choose(all_scenarios())
    one = known(
        tmp_path,
        document="/openapi.json",
        openapi=CHARGED,
        refusal=(REFUSAL,),
        kept={"invoice.paid": ("database.paid",)},
    )
    text, pasted, blocks = FILE, set(), set()
    missing = {need for _, case in cases for need in case.needs if not NEEDS[need].is_offered(one.target)}
    for want in (want for want in WANTS if any(NEEDS[need].want(one.target) == want for need in missing)):
        block = write_block(want, one, {"charging", "writing"})
        text = text if block in blocks else paste(text, block)
        blocks.add(block)
        pasted |= {want} if block.text else set()
    target = read(tmp_path, text)
    left = {want for scenario, case in cases if (why := skip(target, scenario, case)) for want in why.wants}
    assert left & pasted == set()


def test_operations_come_from_the_document(tmp_path):
    """Routes of the OpenAPI document are the operations that are proposed, and what it does not say is a comment."""
    block = write_block("[operations]", known(tmp_path, openapi=CHARGED), {"charging"})
    header, *lines = block.text.splitlines()
    assert header.startswith("[operations.pay]   # where {order} comes from (after and keep); who may ask ")
    assert header.endswith("; a value for 'seats' in its body")
    assert lines == [
        'request = "POST /orders/ID/pay"',
        'calls = "POST /v1/payment_intents"',
        'body = {price = "price_1", seats = "a seats"}',
    ]


def test_a_rejection_record_comes_from_the_log(tmp_path):
    """The fields of the line that the log gained by a refusal are those that are named; others are told as missing."""
    block = write_block("[contract.rejection_record]", known(tmp_path, refusal=("noise", REFUSAL)))
    assert 'match = {msg = "delivery refused"}\ncause = "reason"\ntime = "ts"\norigin = "ip"\n' in block.text
    assert "has no result" in block.text


def test_rows_are_those_of_the_target(tmp_path):
    """The table that old rows are proposed for is one that an event changes, and no record of all events."""
    one = known(
        tmp_path,
        kept={"invoice.paid": ("database.events", "database.paid"), "charge.refunded": ("database.events",)},
    )
    assert 'table = "paid"\ndays = 400\nevent = "invoice.paid"\n' in write_block("[retention]", one).text


def test_upstream_is_told_in_the_words_of_the_library(tmp_path):
    """The note of the upstream is the line of the Stripe library that the target seems to use."""
    for sdk in set(LANGUAGES.values()):
        note = write_block("[upstream]", known(tmp_path, made_of=Recognised(sdk=sdk))).note
        assert re.search(r"127\.0\.0\.1", note), sdk


def test_an_outage_of_sqlite_is_a_lock(tmp_path):
    """A SQLite database is taken away by a lock on its own file; another one by commands."""
    assert '"shop.db"]' in write_block("[store_outage]", known(tmp_path)).text
    other = FILE.replace("sqlite:shop.db", "postgresql://u@h/d")
    assert 'up = ["docker", ' in write_block("[store_outage]", known(tmp_path, other)).text


def test_waived_channels_are_told(tmp_path):
    """Where a channel is waived, the block that opens it says that the waiver goes."""
    text = FILE + '[[waive]]\nchannel = "log"\nreason = "no access to the log"\n'
    assert "take its [[waive]] out" in write_block("[[logs]]", known(tmp_path, text)).text
    assert "waive" not in write_block("[[logs]]", known(tmp_path)).text


def test_columns_can_be_kept(tmp_path):
    """Columns that look as if they held payment data are proposed by their names, with a reason to fill in."""
    block = propose_keeps([("charges", "card", "card data"), ("users", "iban", "bank accounts")])
    kept = read(tmp_path, paste(FILE, block)).contract.keeps
    assert [(one.table, one.column) for one in kept] == [("charges", "card"), ("users", "iban")]
    assert replace(kept[0], reason="") != kept[0]
