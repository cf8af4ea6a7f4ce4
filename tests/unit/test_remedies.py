"""How problems are mended: each kind has a remedy for each channel, and the frameworks have their own lines."""

import re
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.domain.channel import Channel
from payproof.domain.events import CaseFinished, Record
from payproof.domain.finding import Finding, Severity
from payproof.domain.kind import Kind
from payproof.domain.target import Contract, Framework
from payproof.domain.verdict import Failed
from payproof.engine.folding import fold_findings
from payproof.engine.kind_table import KIND_TABLE
from payproof.engine.remedies import REMEDIES, find_remedy
from payproof.engine.remedies.remedy import FRAMEWORKS, SDKS
from payproof.language.target_file import TargetEntry

MOST_CHARACTERS = 300

#: Kinds that are mended otherwise in each framework. Where one has nothing to set or to call, it stands beside.
BY_FRAMEWORK = {
    Kind.DEBUG_PAGE: set(),
    Kind.ECHO: {"django", "flask", "hono", "net_http", "nextjs"},
    Kind.ENVIRONMENT: set(),
    Kind.GENUINE_REFUSED: set(),
    Kind.GENUINE_TOO_LARGE: {"fastapi", "hono", "laravel", "nextjs", "rails", "spring"},
    Kind.MEMORY: set(),
    Kind.REFERENCE_MISSING: set(),
    Kind.SERVER_VERSION: {"hono", "net_http"},
    Kind.SQL_ERROR: set(),
    Kind.STACK_TRACE: set(),
    Kind.STARTED_UNSAFE: set(),
    Kind.TEMPLATE_RUN: {"fastapi", "hono", "nextjs"},
}
LOGGED = [Kind.BANK_DATA, Kind.CARD_DATA, Kind.OTHER_DATA, Kind.PERSONAL_DATA, Kind.SECRET, Kind.SIGNATURE]
#: Kinds that are mended otherwise in each SDK; node, php and ruby follow no redirects.
BY_SDK = {
    Kind.CONNECTION_UNSAFE: set(),
    Kind.DONE_TWICE: set(),
    Kind.FAILURE_MISTOLD: set(),
    Kind.FORGERY_ACCEPTED: set(),
    Kind.GENUINE_REFUSED: set(),
    Kind.KEY_MISSING: set(),
    Kind.REDIRECT_FOLLOWED: {"node", "php", "ruby"},
    Kind.RETRY_MISSING: set(),
    Kind.SDK_TEXT: set(),
    Kind.SERVER_ERROR: set(),
}
FRAMEWORK_NAMES = [name for name in get_args(Framework) if name]
SDK_NAMES = [
    name
    for kind in get_args(TargetEntry.model_fields["contract"].annotation.model_fields["sdk"].annotation)
    for name in get_args(kind)
]
TOLD = sorted(
    {
        find_remedy(kind, channel, framework, sdk)
        for kind in Kind
        for channel in Channel
        for framework in ("", *FRAMEWORK_NAMES)
        for sdk in (None, *SDK_NAMES)
    }
)


def test_every_framework_and_sdk_has_a_name():
    """What a target file may name has a name in remedies, and nothing else has."""
    assert set(FRAMEWORKS) == set(FRAMEWORK_NAMES)
    assert set(SDKS) == set(SDK_NAMES)


def test_every_kind_has_a_remedy():
    """Each kind has a remedy, as it has a title, and no remedy is for a kind that there is not."""
    assert set(REMEDIES) == set(Kind) == set(KIND_TABLE)


@pytest.mark.parametrize("text", TOLD)
def test_remedies_are_short(text):
    """A remedy is one or two sentences and a line of the framework: a terminal of 80 columns shows it well."""
    assert 0 < len(text) < MOST_CHARACTERS
    assert text == " ".join(text.split())
    assert text.endswith(".")
    assert not text.endswith("..")
    assert text[0].isupper()
    assert text.isascii()


@pytest.mark.parametrize("kind", Kind)
def test_remedies_say_what_to_change(kind):
    """No remedy asks for care alone, and none begins with another's prefix: each names something to do."""
    told = {find_remedy(kind, channel, "", None) for channel in Channel}
    assert not any(re.search(r"(?i)\bbe careful\b|\bmake sure\b|\bensure\b|\bshould\b", one) for one in told)


@pytest.mark.parametrize("kind", BY_FRAMEWORK)
@pytest.mark.parametrize("framework", FRAMEWORK_NAMES)
def test_line_of_each_framework(kind, framework):
    """Where frameworks differ a remedy ends with the framework's own line, after its name."""
    general = find_remedy(kind, Channel.HTTP, "", None)
    line = find_remedy(kind, Channel.HTTP, framework, None).removeprefix(general)
    assert line.startswith(f" {FRAMEWORKS[framework]}: ") != (framework in BY_FRAMEWORK[kind])


@pytest.mark.parametrize("kind", LOGGED)
@pytest.mark.parametrize("framework", FRAMEWORK_NAMES)
def test_filter_of_each_framework(kind, framework):
    """What a log holds is kept out by the filter of the framework's usual logger; elsewhere that is no remedy."""
    assert f" {FRAMEWORKS[framework]}: " in find_remedy(kind, Channel.LOG, framework, None)
    assert find_remedy(kind, Channel.STORE, framework, None) == find_remedy(kind, Channel.STORE, "", None)


@pytest.mark.parametrize("kind", BY_SDK)
@pytest.mark.parametrize("sdk", SDK_NAMES)
def test_line_of_each_sdk(kind, sdk):
    """Where SDKs differ a remedy ends with the SDK's own line, where no framework has one."""
    general = find_remedy(kind, Channel.HTTP, "", None)
    line = find_remedy(kind, Channel.HTTP, "", sdk).removeprefix(general)
    assert line.startswith(f" {SDKS[sdk]}: ") != (sdk in BY_SDK[kind])


def test_framework_goes_before_sdk():
    """A remedy has one line: that of the framework, which may name the SDK's call too, before that of the SDK."""
    told = find_remedy(Kind.GENUINE_REFUSED, Channel.HTTP, "express", "node")
    assert 'express.raw({type: "application/json"})' in told
    assert "stripe-node" not in told


ONE_PLACE = {Kind.DIGEST, Kind.PAYMENT_COLUMN}  # mended in the same way wherever they stand
DATA = [kind for kind in Kind if KIND_TABLE[kind].group == "data" and kind not in ONE_PLACE]


@pytest.mark.parametrize("kind", DATA)
def test_remedies_of_data_differ_by_channel(kind):
    """A column is dropped, an answer is made of named fields, a log line is written otherwise, a file is deleted."""
    channels = (Channel.STORE, Channel.HTTP, Channel.LOG, Channel.FILE)
    assert len({find_remedy(kind, channel, "", None) for channel in channels}) == len(channels)


@given(st.text(max_size=20), st.sampled_from(Channel), st.text(max_size=20), st.none() | st.text(max_size=20))
def test_unknown_kinds_have_no_remedy(kind, channel, framework, sdk):
    """What no table knows has no remedy, and is no error."""
    assert find_remedy(f"another {kind}", channel, framework, sdk) == ""


@given(
    st.sampled_from(Kind),
    st.sampled_from(Channel),
    st.text(max_size=20).filter(lambda name: name not in FRAMEWORKS),
    st.none() | st.text(max_size=20).filter(lambda name: name not in SDKS),
)
def test_unknown_frameworks_have_the_general_remedy(kind, channel, framework, sdk):
    """A framework or an SDK that no remedy knows adds nothing to it."""
    assert find_remedy(kind, channel, framework, sdk) == find_remedy(kind, channel, "", None) != ""


@pytest.mark.parametrize(
    ("kind", "is_own"), [(Kind.FORGERY_ACCEPTED, True), ("a check of another distribution", True), (Kind.SLOW, False)]
)
def test_the_remedy_of_a_rule(kind, is_own):
    """What a scenario says of its mending stands for what is as grave as its rule, and for nothing else."""
    found = Finding("check", "expected", "seen", kind=kind, rule="topic/rule")
    case = CaseFinished("topic/rule[one]", "a rule", Severity.HIGH, Failed((found,)), Record(), 1.0, "again")
    (usual,) = fold_findings(Contract(), [case])
    (own,) = fold_findings(Contract(), [replace(case, remedy="do it")])
    assert (own.remedy == "do it") is is_own
    assert is_own or own.remedy == usual.remedy != ""
