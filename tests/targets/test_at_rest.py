"""The scenarios of data at rest on a small service with real databases: as right, and with each fault."""

import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

from harness.domain.address import without_password
from harness.domain.sensitive import Secret
from harness.domain.target import Contract, Environment, KeptRows, RetentionSpec, SourceSpec, Target, Webhook
from harness.domain.verdict import Failed, Passed, Skipped
from harness.reporters.words import summary
from harness.session import Session, all_scenarios, choose, event_factory
from tests.postgresql import server
from tests.servers import mariadb
from tests.targets.small import FAULTS, SECRET, serving

ROOT = Path(__file__).parents[2]
KEPT = (KeptRows("events", 90, "charge.succeeded"),)
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
            url = parts._replace(path="/small").geturl()
            yield url.replace(f"{parts.scheme}:", "postgresql+psycopg:", 1), url


@contextmanager
def session_on(database, fault=None, purge=(sys.executable, "-m", "tests.targets.purge")):
    """Open a session on the small service."""
    service, watched = database
    address, password = without_password(watched)
    secret = None if password is None else Secret("password of the database", password)
    retention = RetentionSpec(purge, KEPT, str(ROOT), environment={"SMALL_DATABASE": service})
    with serving(service, fault) as url:
        target = Target(
            name="small service",
            url=url,
            environment=Environment.LOCAL,
            webhook=Webhook("/", Secret("webhook secret", SECRET), event_factory(0).versions()[-1]),
            stores=(SourceSpec("database", address, password=secret),),
            retention=retention,
            contract=Contract(kept_rows=KEPT),
        )
        session = Session(target, seed=1)
        try:
            yield session
        finally:
            session.close()


def test_a_right_service_passes(database):
    """On a service that keeps ids and times only, every case passes that the target file gives the means for."""
    with session_on(database) as session:
        verdicts = {id_: session.judged(*CASES[id_]).verdict for id_ in CASES}
    others = {id_: summary(verdicts[id_]) for id_ in JUDGED if not isinstance(verdicts[id_], Passed)}
    assert not others
    assert all(isinstance(verdicts[id_], Skipped) for id_ in CASES if id_ not in JUDGED)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found(database, name):
    """What a column of any type keeps is found by the scenario that is there for it, for the reason that it states."""
    fault = FAULTS[name]
    with session_on(database, fault) as session:
        mine = [choice for id_, choice in CASES.items() if id_.startswith(f"data_at_rest/{fault.scenario}[")]
        verdicts = [session.judged(*choice).verdict for choice in mine]
    checks = [{finding.check for finding in one.findings} for one in verdicts if isinstance(one, Failed)]
    assert fault.check in set().union(*checks), [summary(one) for one in verdicts]


def test_a_purge_that_does_nothing_is_found(database):
    """Rows that are older than the contract says and still there after the purge are told by table."""
    with session_on(database, purge=(sys.executable, "-c", "")) as session:
        verdict = session.judged(*CASES["data_at_rest/retention[purge]"]).verdict
    assert isinstance(verdict, Failed)
    assert "older than 90 days" in summary(verdict)
