"""Whatever stands in a scenario, or in what a test-suite gives as its target: it is right, or told in one line each."""

from copy import deepcopy
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from payproof.domain.scenario import Scenario
from payproof.errors import ConfigurationError
from payproof.language import read_target_mapping
from payproof.language.scenario_file import try_scenario
from tests.unit.test_language import SCENARIO

SECRET, PASSWORD, TOKEN = "whsec_" + "0123456789abcdefghij", "a-password-of-theirs", "a-token-of-theirs"
GIVEN = {
    "url": "http://127.0.0.1:8123",
    "webhook": {"path": "/hooks", "secret": SECRET, "api_version": "x", "previous_secret": SECRET},
    "stores": [{"name": "d", "url": f"postgresql://u:{PASSWORD}@h/d", "ignore": ["a"]}],
    "logs": [{"name": "l", "url": "file:a"}],
    "files": [{"name": "f", "url": f"redis://:{PASSWORD}@h/0"}],
    "principals": {"manager": {"credential": TOKEN}},
    "contract": {"rejected": [400], "operations": {"declined": [402]}},
    "retention": {"purge": ["a"], "writer": f"postgresql://u:{PASSWORD}@h/d", "rows": [{"table": "t", "days": 3}]},
    "upstream": {"url": "http://127.0.0.1:1", "backend": "stripe", "key": "sk_" + "test_" + "0123456789abc"},
    "operations": {"create_customer": {"request": "POST /c", "calls": "POST /v1/customers", "body": {"secret": "x"}}},
    "waive": [{"channel": "log", "reason": "a test has none"}],
}
WRONG = (
    *(None, 3, True, 1.5, "x", [], {}, [3], [None], {"a": {"b": 1}}, {3: 4}, "deliver", ["deliver"]),
    *({"deliver": None}, {"deliver": {}, "replay": {}}, [{"deliver": {"event": "x"}}], {"accepted": {"at": 9}}),
    *("http://[", "sqlite:", "postgresql://a:b@c:d@e/", Path("/x"), b"x", {"credential": {"x": 1}}),
)


def spoil(value, random, wrong):
    """Replace, rename or leave out some of what stands in a value."""
    if random.random() < 0.06:
        return deepcopy(random.choice(wrong))
    if isinstance(value, dict):
        kept = [(key, one) for key, one in value.items() if random.random() > 0.02]
        return {_renamed(key, random): spoil(one, random, wrong) for key, one in kept}
    return [spoil(one, random, wrong) for one in value] if isinstance(value, list) else value


def _renamed(key, random):
    return random.choice([f"{key}_env", f"{key}x", 3, None, "with"]) if random.random() < 0.03 else key


@given(st.randoms(use_true_random=False))
def test_scenarios(tmp_path_factory, random):
    """A spoilt scenario is read, or every mistake of it is one line."""
    content = spoil(yaml.safe_load(SCENARIO), random, [one for one in WRONG if not isinstance(one, Path | bytes)])
    file = tmp_path_factory.getbasetemp() / "s.yaml"
    file.write_text(yaml.safe_dump(content))
    read = try_scenario(file, "t/s", {}, proven=random.random() < 0.5)
    if not isinstance(read, Scenario):
        assert read
        assert all("\n" not in str(mistake) for mistake in read)


@given(st.randoms(use_true_random=False))
def test_targets(random):
    """A spoilt target is read, or each thing that is wrong with it is one line without a secret of it."""
    content = spoil(GIVEN, random, WRONG)
    try:
        read_target_mapping(
            content if isinstance(content, dict) else {}, place="payproof_target", folder=Path("/srv"), environment={}
        )
    except ConfigurationError as error:
        told, number = str(error), len(error.mistakes)
    else:
        return
    assert len(told.splitlines()) == number
    assert not [secret for secret in (SECRET, PASSWORD, TOKEN) if secret in told]
