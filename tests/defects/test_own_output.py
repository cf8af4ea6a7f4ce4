"""What is recorded of a target that leaks holds nothing that leaked, and can be judged again."""

import json

import pytest

from payproof.domain.finding import Confidence
from payproof.domain.verdict import Failed
from payproof.engine.judge import judge
from payproof.language import decode_event, encode_event
from payproof.registry import detectors
from payproof.scan.scanner import Scanner
from payproof.session import all_scenarios, choose
from tests.defects._proof import on_defect


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("defect", "id_"),
    [
        ("payload_logged", "data_at_rest/other_stores[logs]"),
        ("payload_in_base64_logged", "data_at_rest/other_stores[logs]"),
        ("raw_event_stored", "data_at_rest/canary_in_store[event_fields]"),
        ("last4_kept", "data_at_rest/card_metadata[payments]"),
        ("nothing_purged", "data_at_rest/retention[purge]"),
        ("card_columns", "data_at_rest/schema[names_and_types]"),
    ],
)
def test_a_record_shows_nothing_of_what_leaked(defect, id_):
    """In the record of a failed case no card number is found in any encoding; read again, it is judged alike."""
    ((scenario, case),) = choose(all_scenarios(), ids=[id_])
    with on_defect(defect) as session:
        finished = session.judge_case(scenario, case)
        contract = session.target.contract
        written = json.dumps(encode_event(finished)).encode()
        assert session.ledger.holds_none([written])
    assert isinstance(finished.verdict, Failed)
    scanner = Scanner([detectors()[name] for name in ("pan", "track_data", "iban")], Confidence.MEDIUM)
    assert not [found.what for found in scanner.scan(written)]
    read = decode_event(json.loads(written), "run.jsonl", 1)
    assert read == finished
    assert judge(contract, scenario, case, read.record) == finished.verdict
