"""The command `payproof scan`: reports, statuses, exit codes, and that nothing sensitive is shown."""

import gzip
import json
import sqlite3
import tarfile
from datetime import date, timedelta

import jsonschema
import psycopg
import pytest

from payproof.at_rest import Options, read_specs, search
from payproof.domain.leak import Leak, NotRead, UnitSearched
from tests.at_rest.made import LINES, MASKED, PAN, SECRET
from tests.end_to_end.command import payproof, payproof_here
from tests.sarif import sarif

FORMS = ("table", "jsonl", "sarif")


@pytest.fixture
def log(tmp_path):
    """A log with a card number and a secret."""
    path = tmp_path / "app.log"
    path.write_bytes(LINES)
    return path


@pytest.fixture(scope="session")
def sarif_schema():
    """The JSON Schema of SARIF 2.1.0."""
    return sarif.read_schema()


def nothing_sensitive(*texts):
    """Hold texts to what may be shown."""
    for text in texts:
        assert PAN not in text
        assert SECRET not in text
        assert PAN[::-1] not in text


def lines(ended):
    """Return the objects of JSON lines."""
    return [json.loads(line) for line in ended.out.splitlines()]


def test_scan_needs_no_target_file(log):
    """In a process of its own the command finds, masks and ends with 1; progress is for terminals only."""
    ended = payproof("scan", log.name, cwd=log.parent)
    assert (ended.code, ended.err) == (1, "")
    assert "app.log:2:22" in ended.out
    assert MASKED in ended.out
    nothing_sensitive(ended.out)


def test_exit_codes(log, tmp_path):
    """Nothing new is 0, a finding 1, what could not be read 3 unless something was found, nothing at all 5."""
    clean, broken, empty = tmp_path / "clean", tmp_path / "broken.gz", tmp_path / "empty"
    clean.write_bytes(b"all is well")
    broken.write_bytes(gzip.compress(b"x" * 1000)[:-4])
    empty.mkdir()
    codes = {name: payproof_here("scan", *paths).code for name, paths in {
        "clean": [clean], "found": [log, clean], "unread": [clean, broken], "both": [log, broken], "nothing": [empty],
    }.items()}  # fmt: skip
    assert codes == {"clean": 0, "found": 1, "unread": 3, "both": 1, "nothing": 5}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere.log"], "nowhere.log: there is no such file"),
        (["file:*.nothing"], "there is no such file"),
        (["oracle://host/x"], "of no known kind"),
        (["env:PAYPROOF_NOT_SET"], "is not set"),
        (["sqlite:nowhere.db"], "no SQLite database"),
        (["postgresql://u:s3cretpw@127.0.0.1:1/x"], "store"),
        (["mysql://u:s3cretpw@127.0.0.1:1/x"], "store"),
        (["redis://:s3cretpw@127.0.0.1:1/0"], "store"),
        (["postgresql://u:s3cretpw/x@host/x"], "is not right"),
        (["-", "--waivers", "nowhere.yaml"], "cannot be read"),
        (["-", "--baseline", "nowhere.json"], "cannot be read"),
        (["-", "--output", "no/such/folder"], "cannot be written"),
        (["-", "--at-least", "surely"], "--at-least"),
        (["command:"], "names no command"),
    ],
)
def test_bad_input_is_one_line(arguments, line, tmp_path, monkeypatch):
    """What cannot be searched at all is told in one line, without a password, with exit code 4."""
    monkeypatch.chdir(tmp_path)
    ended = payproof_here("scan", *arguments)
    assert (ended.code, ended.out) == (4, "")
    assert line in ended.line
    assert "s3cretpw" not in ended.err


def test_confidence_that_counts(tmp_path):
    """A number without a neighbour that tells is listed in files, and counts where it is asked for."""
    path = tmp_path / "a.log"
    path.write_text(f"x {PAN} y\n")
    assert [payproof_here("scan", path, *more).code for more in ([], ["--at-least", "medium"])] == [0, 1]
    assert "listed" in payproof_here("scan", path).out
    assert "no leaks" in payproof_here("scan", path, "--at-least", "high").out


@pytest.mark.parametrize("form", FORMS)
def test_every_report_is_clean(log, tmp_path, form):
    """No kind of output shows what was found, whatever it stood in: names, keys, archives, databases."""
    folder = tmp_path / f"card {PAN}"
    folder.mkdir()
    with sqlite3.connect(folder / f"card {PAN}.db") as connection:
        connection.execute(f'CREATE TABLE "card {PAN}" (number TEXT PRIMARY KEY, "card {PAN} x" INTEGER)')
        connection.execute(f'INSERT INTO "card {PAN}" VALUES (?, ?)', (PAN, int(PAN)))
    connection.close()
    with tarfile.open(folder / "a.tar.gz", "w:gz") as archive:
        archive.add(log, f"card {PAN}.log")
    output, baseline = tmp_path / "out", tmp_path / "baseline"
    ended = payproof_here(
        "scan", folder, f"command:echo card {PAN} {SECRET}", "--format", form, "--output", output,
        "--write-baseline", baseline,
    )  # fmt: skip
    assert ended.code == 0
    nothing_sensitive(ended.out, ended.err, output.read_text(), baseline.read_text())
    assert payproof_here("scan", output, baseline, "--at-least", "medium").code == 0
    # The terminal's width does not cut what must be whole.
    shown = payproof_here("scan", folder, "--format", form)
    assert shown.code == 1
    nothing_sensitive(shown.out)


def test_sarif_validates(log, tmp_path, sarif_schema):
    """The report for programs is SARIF 2.1.0, with waived, known, listed and unread parts."""
    (tmp_path / "b.log").write_text(f"x {PAN}\n")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(LINES)[:-4])
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE cards (id INTEGER PRIMARY KEY, cvc TEXT)")
    connection.close()
    waivers, baseline = tmp_path / "w.toml", tmp_path / "baseline"
    until = date.today() + timedelta(days=9)  # noqa: DTZ011
    waivers.write_text(f'[[waivers]]\nlocation = "*a.db*"\nreason = "an empty table"\nexpires = {until}\n')
    payproof_here("scan", log, "--write-baseline", baseline)
    sources = [log, tmp_path / "b.log", tmp_path / "cut.gz", f"sqlite:{tmp_path}/a.db"]
    ended = payproof_here("scan", *sources, "--format", "sarif", "--waivers", waivers, "--baseline", baseline)
    report = json.loads(ended.out)
    jsonschema.Draft7Validator(sarif_schema).validate(report)
    (run,) = report["runs"]
    assert {one["properties"]["status"] for one in run["results"]} == {"new", "known", "waived", "listed"}
    assert run["invocations"][0]["toolExecutionNotifications"]
    assert all(one["partialFingerprints"]["payproof/v1"].isalpha() for one in run["results"])


def test_baseline_knows_how_many(log):
    """What a baseline knows is not new, wherever it moves in its file; one more of the same is."""
    baseline = log.parent / "baseline.json"
    assert payproof_here("scan", log, "--write-baseline", baseline).code == 0
    log.write_bytes(b"another line\n" * 5 + LINES)
    assert payproof_here("scan", log, "--baseline", baseline).code == 0
    log.write_bytes(LINES + LINES)
    ended = payproof_here("scan", log, "--baseline", baseline, "--format", "jsonl")
    assert ended.code == 1
    assert sorted(one["status"] for one in lines(ended) if one["type"] == "leak") == ["known"] * 2 + ["new"] * 2


def test_waivers_are_shown_and_end(log):
    """A waiver is shown with its reason; one that is over counts no more, and an unused one is named."""
    first = next(one for one in lines(payproof_here("scan", log, "--format", "jsonl")) if one["kind"] == "pan")
    waivers = log.parent / "waivers.yaml"
    day = date(2999, 1, 1)

    def ended(*entries):
        waivers.write_text(json.dumps({"waivers": entries}))
        return payproof_here("scan", log, "--waivers", waivers)

    by_print = {"fingerprint": first["fingerprint"], "reason": "only a test system", "expires": str(day)}
    by_place = {"location": "*app.log:3:*", "kind": "stripe_secret", "reason": "rolled since then", "expires": str(day)}
    both = ended(by_print, by_place)
    assert both.code == 0
    assert "waived" in both.out
    told = lines(payproof_here("scan", log, "--waivers", waivers, "--format", "jsonl"))
    assert {one["reason"] for one in told if one["type"] == "leak"} == {
        "only a test system (until 2999-01-01)",
        "rolled since then (until 2999-01-01)",
    }
    assert ended(by_print).code == 1
    over = ended(by_print, by_place | {"expires": "2020-01-01"})
    assert (over.code, "waiver 2 is over since 2020-01-01" in over.out) == (1, True)
    unused = ended(by_print, by_place, {"location": "other", "reason": "long gone by now", "expires": str(day)})
    assert (unused.code, "waiver 3 matches nothing" in unused.out) == (0, True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("waivers: [{location: x, reason: long enough}]", "is missing"),
        ("waivers: [{location: x, reason: long enough, expires: never}]", "expires"),
        ("waivers: [{reason: long enough, expires: 2999-01-01}]", "either fingerprint or location"),
        ("waivers: [{location: x, resaon: long enough, expires: 2999-01-01}]", "resaon"),
        ("waivers: [", "not YAML"),
        ("- 1", "waivers"),
    ],
)
def test_waivers_that_are_not_right(log, text, line):
    """A waiver file with a mistake is refused in one line."""
    (log.parent / "w.yaml").write_text(text)
    ended = payproof_here("scan", log, "--waivers", log.parent / "w.yaml")
    assert ended.code == 4
    assert line in ended.line


def test_search_goes_on_where_it_was_broken_off(log, tmp_path):
    """What a broken-off search has done is told again without being read again; a complete one leaves no file."""
    (tmp_path / "b.log").write_bytes(LINES)
    resume = tmp_path / "resume"
    specs = read_specs([str(log), str(tmp_path / "b.log")], {})
    whole = [one for one in search(specs, Options()) if isinstance(one, Leak)]
    told = search(specs, Options(resume=resume))
    while not isinstance(next(told), UnitSearched):
        pass
    next(told)
    told.close()
    nothing_sensitive(resume.read_text())
    log.write_bytes(b"read again")
    again = [one for one in search(specs, Options(resume=resume)) if isinstance(one, Leak)]
    assert again == whole
    assert not resume.exists()
    resume.write_text('{"settings": {}}\n')
    ended = payproof_here("scan", log, "--resume", resume)
    assert (ended.code, "other sources or options" in ended.line) == (4, True)


def test_interruption_shows_what_was_found(log, monkeypatch):
    """A search that is broken off tells what it has found, and ends with 2."""

    def broken_off(specs, options):
        yield from search(specs, options)
        raise KeyboardInterrupt

    monkeypatch.setattr("payproof.cli.scan_command.search", broken_off)
    ended = payproof_here("scan", log)
    assert (ended.code, "interrupted" in ended.out, MASKED in ended.out) == (2, True, True)


def test_sample_reports_its_share(tmp_path):
    """Of a sampled table it is told how many rows were read."""
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, 'x')", [(n,) for n in range(100)])
    connection.close()
    ended = payproof_here("scan", f"sqlite:{tmp_path}/a.db", "--sample", 10)
    assert (ended.code, "table t: 10 rows" in ended.out) == (0, True)


def test_postgresql_is_searched_with_keys_and_columns(postgresql):
    """Rows of PostgreSQL are told by table, column and key; columns for payment data and JSON keys are named."""
    postgresql.run(
        "CREATE TABLE payments (id int PRIMARY KEY, num numeric(20,0), data jsonb, cvc text)",
        f'INSERT INTO payments VALUES (1, {PAN}, \'{{"card": {{"number": "{PAN}"}}}}\', \'123\')',
        "INSERT INTO payments VALUES (2, 5, '{}', NULL)",
    )
    ended = payproof_here("scan", postgresql.url, "--format", "jsonl")
    assert ended.code == 1
    found = {(one["kind"], one["place"]["field"], one["place"]["key"]) for one in lines(ended) if one["type"] == "leak"}
    assert found >= {
        ("pan", "num", "id=1"),
        ("pan", "data", "id=1"),
        ("cvc", "cvc", "id=1"),
        ("schema", "cvc", ""),
        ("schema", "data.card.number", ""),
    }
    nothing_sensitive(ended.out)


def test_connection_lost_half_way(postgresql):
    """A table whose connection is lost is told as not read, what was found before is kept, the next table is read."""
    postgresql.run(
        "CREATE TABLE a (id int PRIMARY KEY, number text)",
        f"INSERT INTO a SELECT n, '{PAN}' || repeat(' ', 500) FROM generate_series(1, 60000) AS n",
        "CREATE TABLE b (id int PRIMARY KEY, card_number text)",
        f"INSERT INTO b VALUES (1, '{PAN}')",
    )
    killed = []

    def progress(unit, size, _of, _sort):
        if "table a" in unit and size == 100:
            with psycopg.connect(postgresql.url, autocommit=True) as connection:
                killed.append(connection.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE application_name = 'payproof' AND datname = current_database()"
                ).fetchone()[0])  # fmt: skip

    told = list(search(read_specs([postgresql.url], {}), Options(progress=progress)))
    assert killed == [1]
    assert ["table a" in str(one.place) for one in told if isinstance(one, NotRead)] == [True]
    assert any(one.place.table == "b" for one in told if isinstance(one, Leak))
