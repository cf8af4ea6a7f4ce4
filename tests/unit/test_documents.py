"""Whatever stands in a file or an answer: it is read, or refused in one line; it never ends in a fault of ours."""

import contextlib
import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payproof.domain.documents import read_json
from payproof.domain.json_path import text_at
from payproof.errors import ConfigurationError
from payproof.language import read_scenario, read_target
from payproof.language.openapi import read_openapi
from payproof.language.problems import parse_toml, parse_yaml
from payproof.language.waiver_file import read_baseline, read_waivers
from payproof.session import rejudge
from payproof.stripe.forgeries import FORGERIES, forge
from payproof.stripe.forgery import Material
from payproof.stripe.form import FormError, decode
from payproof.stripe.signature import diagnose
from tests.end_to_end.command import payproof_here

NESTED = "[" * 100_000
BALANCED = "[" * 900 + "]" * 900
NUMBER = "9" * 5000
DOTTED = ".a" * 100_000
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_sound_json_is_read(value):
    """What JSON can say is read as it was said."""
    text = json.dumps(value)
    assert json.dumps(read_json(text)) == text


@pytest.mark.parametrize("text", [NESTED, BALANCED, '{"a":' * 100_000, NUMBER, "", "{", b"\xff", "NULL"])
def test_other_json_is_refused_by_one_error(text):
    """Nesting that cannot be walked, numbers that cannot be held, and what is no JSON are all a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


@pytest.mark.parametrize(
    "text",
    [
        NESTED,
        BALANCED,
        "".join(" " * depth + "- \n" for depth in range(1, 300)),
        "a: 2024-13-45",
        "a: 2024-01-01 25:61:61",
        f"a: {NUMBER}",
        "a: !!timestamp x",
        "a: !!bool x",
        "a: !!int x",
        "a: !!float x",
        "? [a]\n: b",
        "a: \x00",
        "a: !!python/object:os.system x",
        "a: *nobody",
    ],
)
def test_yaml_is_refused_in_one_line(tmp_path, text):
    """YAML that yaml's own constructors fail on, or that would end the process, is the user's mistake, not ours."""
    for ending, read in (("yaml", read_waivers), ("yml", lambda path: read_scenario(path, "t/s"))):
        file = tmp_path / f"file.{ending}"
        file.write_text(text)
        with pytest.raises(ConfigurationError, match="YAML"):
            read(file)
    with pytest.raises(ConfigurationError, match="neither JSON nor YAML"):
        read_openapi(text.encode(), "https://billing.example/openapi.json")


@pytest.mark.parametrize(
    "text",
    [f"a = {NESTED}", f"a = {NUMBER}", "a = 2024-13-45", "a = ", "[a]\n[a]", f"a{DOTTED} = 1", f"[a{DOTTED}]"],
)
def test_toml_is_refused_in_one_line(tmp_path, text):
    """TOML that cannot be read is refused, with its file, wherever it is read."""
    file = tmp_path / "file.toml"
    file.write_text(text)
    for read in (read_target, read_waivers):
        with pytest.raises(ConfigurationError, match=r"file\.toml.*TOML"):
            read(file)


def test_sound_yaml_and_toml_are_read():
    """What is sound is read as before."""
    assert parse_yaml("a: [1, {b: c}]\nd: 2024-01-02", "f")["a"] == [1, {"b": "c"}]
    assert parse_toml("a = [1, {b = 'c'}]", "f") == {"a": [1, {"b": "c"}]}


@pytest.mark.parametrize("text", [NESTED, NUMBER, "[]", '{"version": 1, "known": {"a": {"count": 1e999}}}'])
def test_baselines_are_refused_in_one_line(tmp_path, text):
    """A baseline that is none is refused."""
    file = tmp_path / "known.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"known\.json"):
        read_baseline(file, "leaks")


@pytest.mark.parametrize("body", [NESTED, BALANCED, NUMBER, '{"error": ' + NESTED])
def test_answers_that_cannot_be_walked_hold_nothing(body):
    """A target's answer that nests without end has no text at any place."""
    assert text_at(body, "error.reference") == ""


@pytest.mark.parametrize("body", [NESTED.encode(), BALANCED.encode(), b'{"a": ' * 500 + b"1" + b"}" * 500])
def test_bodies_that_cannot_be_walked_are_refused(body):
    """A body to forge from that nests without end is the user's mistake for each forgery that parses it."""
    material = Material(body, "whsec_" + "x" * 32, 1, Random(1), api_key="sk_test_x", publishable_key="pk_test_x")
    for name in FORGERIES:
        with contextlib.suppress(ConfigurationError):
            forge(name, material)
    assert not diagnose(body, "t=1,v1=00", "whsec_" + "x" * 32, now=1).verifies


@given(st.text("a[]=&0129", max_size=40))
def test_forms_are_read_or_refused(text):
    """Whatever a target sends to Stripe as a form is decoded, or is a FormError."""
    with contextlib.suppress(FormError):
        assert isinstance(decode(text), dict)


def test_places_in_lists_without_end():
    """A number of thousands of digits in brackets is a name like any other."""
    assert decode(f"a[{NUMBER}]=1") == {"a": {NUMBER: "1"}}


@pytest.fixture(scope="module")
def lines():
    """A run record of one case, as JSON values."""
    header = {
        "event": "run_started", "version": "1", "target": "t", "url": "https://t.example", "file": "t.toml",
        "environment": "local", "seed": 1,
        "started": "2026-01-01T00:00:00Z", "cases": 1, "stores": ["db"], "logs": [], "contract": {"rejected": [401]},
        "files": [],
    }  # fmt: skip
    sent = {"method": "POST", "url": "https://b.example/hook", "note": "n", "length": 1, "digest": "0"}
    answer = {"kind": "answer", "status": 401, "headers": [], "body": "", "length": 0, "seconds": 0.1}
    observations = [
        {"step": 0, "sent": sent, "answer": answer, "channel": "http"},
        {"step": 0, "source": "db", "tables": [{"table": "t", "added": 1, "removed": 0}], "channel": "store"},
    ]
    case = {
        "event": "case_finished", "id": "webhook_signature/missing[no_header]", "title": "A rule", "severity": "high",
        "verdict": {"kind": "passed", "held": ["rejected"]},
        "record": {"control": observations, "observations": observations, "unwatched": [], "stopped": None},
        "seconds": 0.1, "repeat": "payproof run",
    }  # fmt: skip
    counts = {"passed": 1, "failed": 0, "advised": 0, "errored": 0, "skipped": 0}
    return [header, case, {"event": "run_finished", "counts": counts, "exit_code": 0, "seconds": 0.1}]


def judged(path, lines):
    """Judge a record; return the exit code and what was said."""
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", errors="surrogatepass")
    ended = payproof_here("judge", path)
    assert "fault of the harness" not in ended.err + ended.out, ended.err
    return ended


def test_a_sound_record_is_judged(tmp_path, lines):
    """The record that the others are made from is one."""
    assert judged(tmp_path / "run.jsonl", map(json.dumps, lines)).code in {1, 3}
    assert len(list(rejudge(tmp_path / "run.jsonl"))) == 4  # the problems that were found are made anew


@pytest.mark.parametrize(
    "line", [NESTED, BALANCED, NUMBER, '{"event": "run_started", "seed": ' + NUMBER + "}", '"\\ud800"']
)
def test_a_record_with_an_impossible_line_is_refused(tmp_path, lines, line):
    """A line that nests without end, or holds a number without end, is named, and the exit code is 4."""
    first, *rest = map(json.dumps, lines)
    ended = judged(tmp_path / "run.jsonl", [first, line, *rest])
    assert ended.code == 4
    assert "run.jsonl:2" in ended.line


def test_a_record_with_half_a_character_is_refused(tmp_path, lines):
    """What no terminal and no file could be told is named by its line."""
    header, case, footer = lines
    edited = map(json.dumps, [header, case | {"title": "a \ud800"}, footer])
    ended = judged(tmp_path / "run.jsonl", edited)
    assert (ended.code, "run.jsonl:2" in ended.line) == (4, True)


def _places(value, place=()):
    yield place
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(inner, (*place, key))


def _with(value, place, new):
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _with(copy[place[0]], place[1:], new)
    return copy


odd = st.sampled_from(
    [None, True, -1, 10**30, 1e308, float("nan"), "", "\ud800", "[red]", "x" * 300, [], {}, [[]], [None]]
)


@pytest.mark.thorough
@given(st.data())
@settings(max_examples=80)
def test_a_record_that_was_edited_never_ends_in_a_fault(lines, tmp_path_factory, data):
    """Whatever value stands in whatever place of a record: it is judged, or refused by its line."""
    number = data.draw(st.sampled_from([0, 1, 1, 1, 2]))
    place = data.draw(st.sampled_from(list(_places(lines[number]))))
    edited = list(lines)
    edited[number] = _with(lines[number], place, data.draw(odd))
    judged(tmp_path_factory.mktemp("edited") / "run.jsonl", map(json.dumps, edited))
