"""The scenarios of data at rest on a small service with real databases: as right, and with each fault."""

import json
import sys
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest
import redis
from sqlalchemy import Column, String, create_engine, text

from payproof.canary import Ledger
from payproof.domain.address import without_password
from payproof.domain.sensitive import Secret
from payproof.domain.target import Contract, Environment, KeptRows, RetentionSpec, SourceSpec, Target, Webhook
from payproof.domain.verdict import Errored, Failed, Passed, Skipped
from payproof.errors import Reason
from payproof.reporters.phrasing import summary
from payproof.session import Session, all_scenarios, choose, event_factory
from tests.postgresql import server
from tests.servers import mariadb, redis_server
from tests.targets.small import FAULTS, SECRET, Fault, serving

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]
NOTE = {"note_id": "note_{id}", "written": "{date}", "open": False}
KEPT = (
    KeptRows("events", 90, "charge.succeeded"),
    KeptRows("arrivals", 30, "charge.succeeded", from_arrival=True),
    KeptRows("notes", 7, values=NOTE, stays_with=({"open": True},)),
)
PURGE = (sys.executable, "-m", "tests.targets.purge")
CASES = {case.id: (scenario, case) for scenario, case in choose(all_scenarios(), topics=["data_at_rest"])}
#: What needs no log and no files, of which the small service has none.
JUDGED = [id_ for id_ in CASES if "/other_stores" not in id_]


@pytest.fixture(scope="module", params=["mariadb", "postgresql"])
def database(request):
    """An empty database; what SQLAlchemy calls it, and what a target file would."""
    if request.param == "mariadb":
        with mariadb() as url:
            parts = urlsplit(url)
            login = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password}
            with pymysql.connect(**login) as connection, connection.cursor() as cursor:
                cursor.execute("CREATE DATABASE small CHARACTER SET utf8mb4")
            yield url.replace("mysql:", "mysql+pymysql:") + "small", f"{url}small"
    else:
        with server() as url:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CREATE DATABASE small")
            parts = urlsplit(url)
            small = parts._replace(path="/small")
            yield small._replace(scheme="postgresql+psycopg").geturl(), small.geturl()


@contextmanager
def session_on(database, fault=None, purge=PURGE, environment=Environment.LOCAL):
    """Open a session on the small service."""
    service, watched = database
    address, password = without_password(watched)
    secret = None if password is None else Secret("password of the database", password)
    source = SourceSpec("database", address, password=secret)
    variables = {"SMALL_DATABASE": service}
    retention = RetentionSpec(purge, KEPT, str(ROOT), environment=variables, purge_at=(*purge, "{time}"), writer=source)
    with serving(service, fault) as url:
        target = Target(
            name="small service",
            url=url,
            environment=environment,
            webhook=Webhook("/", Secret("webhook secret", SECRET), event_factory(0).versions()[-1]),
            stores=(source,),
            retention=retention,
            contract=Contract(kept_rows=KEPT),
        )
        session = Session(target, seed=1, ledger=Ledger())
        try:
            yield session
        finally:
            session.close()


def test_a_right_service_passes(database):
    """On a service that keeps ids and times only, every case passes that the target file gives the means for.

    Nothing is seen in passing.
    """
    with session_on(database) as session:
        judged = {id_: session.judge_case(*CASES[id_]) for id_ in CASES}
    verdicts = {id_: one.verdict for id_, one in judged.items()}
    assert not [finding for one in judged.values() for finding in one.passing]
    others = {id_: summary(verdicts[id_]) for id_ in JUDGED if not isinstance(verdicts[id_], Passed)}
    assert not others
    assert all(isinstance(verdicts[id_], Skipped) for id_ in CASES if id_ not in JUDGED)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found(database, name):
    """What a column of any type keeps is found by the scenario that is there for it, for the reason that it states."""
    fault = FAULTS[name]
    with session_on(database, fault) as session:
        mine = [choice for id_, choice in CASES.items() if id_.startswith(f"data_at_rest/{fault.scenario}[")]
        verdicts = [session.judge_case(*choice).verdict for choice in mine]
    checks = [{finding.check for finding in one.findings} for one in verdicts if isinstance(one, Failed)]
    assert fault.check in set().union(*checks), [summary(one) for one in verdicts]


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("purge", "older than 90 days, saw 1 in table events"),
        ("written", "older than 7 days, saw 1 in table notes"),
        ("later", "older than 30 days, saw 1 in table arrivals"),
    ],
)
def test_a_purge_that_does_nothing_is_found(database, case, told):
    """Rows that are older than the contract says and still there after the purge are told by table."""
    with session_on(database, purge=(sys.executable, "-c", "")) as session:
        verdict = session.judge_case(*CASES[f"data_at_rest/retention[{case}]"]).verdict
    assert isinstance(verdict, Failed)
    assert told in summary(verdict)


def test_a_row_that_cannot_be_written_is_errored(database):
    """Where the database refuses a row, nothing is known of its purge, and no value of the row is told."""
    wrong = replace(KEPT[2], values={**NOTE, "open": "neither"} | {"never": "a column"})
    with session_on(database) as session:
        target = session.target
        session.close()
        target = replace(target, contract=replace(target.contract, kept_rows=(wrong,)))
        with closing(Session(target, seed=1, ledger=Ledger())) as again:
            verdict = again.judge_case(*CASES["data_at_rest/retention[written]"]).verdict
    assert isinstance(verdict, Errored)
    assert (verdict.reason, verdict.detail.startswith("table notes: ")) == (Reason.NOT_PLANTED, True)


@pytest.mark.parametrize("leaks", [False, True])
def test_a_cache_is_searched_as_files_are(tmp_path, leaks):
    """A Redis that the target file lists among its files is searched for what was offered."""
    with redis_server() as address:
        shown, password = without_password(address)
        cache = SourceSpec("cache", shown, password=Secret("password", password))
        store = SourceSpec("database", f"sqlite:{tmp_path / 'small.db'}")

        def keep(event):
            with redis.from_url(address) as client:
                client.hset("events", event["id"], json.dumps(event if leaks else {"id": event["id"]}))

        fault = Fault("other_stores", "not_kept", lambda: Column("unused", String(1)), keep)
        with serving(f"sqlite:///{tmp_path / 'small.db'}", fault) as url:
            hook = Webhook("/", Secret("webhook secret", SECRET), event_factory(0).versions()[-1])
            target = Target("small service", url, Environment.LOCAL, hook, stores=(store,), files=(cache,))
            with closing(Session(target, seed=1, ledger=Ledger())) as session:
                verdict = session.judge_case(*CASES["data_at_rest/other_stores[files]"]).verdict
    assert isinstance(verdict, Failed if leaks else Passed), summary(verdict)
    assert not leaks or "in file cache, table" in verdict.findings[0].seen


def test_production_is_searched_and_nothing_is_sent(database):
    """On production the schema and what is stored are judged without a delivery; an empty store proves nothing."""
    with session_on(database, FAULTS["number_left"], environment=Environment.PRODUCTION) as session:
        verdicts = {id_: session.judge_case(*CASES[id_]).verdict for id_ in CASES}
        stored = verdicts.pop("data_at_rest/pattern_scan[stores]")
        assert isinstance(verdicts.pop("data_at_rest/schema[names_and_types]"), Passed)
        assert all(isinstance(verdict, Skipped) for verdict in verdicts.values())
        assert isinstance(stored, Errored)
        assert stored.reason is Reason.MARKER_NOT_SEEN
        engine = create_engine(database[0])
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO events VALUES ('evt_1abcdefghijklmnop', 'charge.succeeded', NULL, 1)"))
        assert isinstance(session.judge_case(*CASES["data_at_rest/pattern_scan[stores]"]).verdict, Passed)
        number = "4242" * 4
        with engine.begin() as connection:
            connection.execute(text(f"INSERT INTO also (number, sample) VALUES (1, '[{number}]')"))
        engine.dispose()
        found = session.judge_case(*CASES["data_at_rest/pattern_scan[stores]"]).verdict
        assert isinstance(found, Failed)
        assert "published test card number" in found.findings[0].seen
        assert "in production" in found.findings[0].seen
