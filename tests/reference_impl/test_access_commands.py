import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from payproof_reference import __main__ as commands
from payproof_reference.database.engine import open_database
from payproof_reference.telemetry import logging
from tests.reference_impl.callers import Application, bearer

ROOT = Path(__file__).parents[2]
DAY = 24 * 3600


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process: its exit code, and the lines that it printed on either stream."""
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr(logging, "configure", lambda stream: None)

    def run(*arguments):
        with capture_logs():
            code = commands.main(arguments)
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err.splitlines()

    return run


@pytest.fixture
def tenant(operator, run):
    """A tenant, created by the operator."""
    run("migrate")
    code, (tenant_id,), errors = run("create-tenant")
    assert (code, errors) == (0, [])
    return tenant_id


@pytest.fixture
def app(operator, settings, tenant):
    """The application on the operator's database, as the role of the service."""
    engine = open_database(operator.service)
    yield Application.build(settings, engine)
    engine.dispose()


def audited(operator):
    engine = open_database(operator.owner)
    with engine.connect() as connection:
        columns = "event, actor, result, reason, origin, object_id, tenant_id"
        rows = [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM audit_log ORDER BY sequence"))]
    engine.dispose()
    return rows


def test_credential_opens_the_door_until_it_is_revoked(app, operator, run, tenant):
    """An operator creates a tenant and a credential, which works at once and no more once it is revoked."""
    code, (token,), errors = run("create-credential", "--tenant", tenant, "--role", "viewer")
    assert (code, errors) == (0, [])
    answer = app.request("GET", "/small/billing", headers=bearer(token))
    credential = answer.json()[0].removeprefix("credential:")
    assert (answer.status_code, answer.json()[1]) == (200, tenant)
    assert credential == "cred_" + token.split("_")[1]
    assert run("revoke-credential", credential) == (0, [f"revoked {credential}"], [])
    with capture_logs():
        assert app.request("GET", "/small/billing", headers=bearer(token)).status_code == 401
    actor = f"operator:{os.getuid()}"
    assert audited(operator)[:3] == [
        ("tenant_created", actor, "success", None, "command line", tenant, tenant),
        ("credential_created", actor, "success", "viewer", "command line", credential, tenant),
        ("credential_revoked", actor, "success", None, "command line", credential, tenant),
    ]


def test_credentials_are_listed_without_secrets(operator, run, tenant):
    """Ids, roles and dates of all or of one tenant; neither secrets nor digests."""
    _, (other,), _ = run("create-tenant")
    _, (first,), _ = run("create-credential", "--tenant", tenant, "--role", "owner", "--days", "7")
    _, (second,), _ = run("create-credential", "--tenant", other, "--role", "auditor")
    ids = ["cred_" + token.split("_")[1] for token in (first, second)]
    run("revoke-credential", ids[0])
    code, lines, _ = run("list-credentials")
    today, later = (time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * DAY)) for days in (0, 90))
    assert code == 0
    assert sorted(lines) == sorted(
        [
            f"{ids[0]} {tenant} owner created {today} revoked {today}",
            f"{ids[1]} {other} auditor created {today} expires {later}",
        ]
    )
    assert run("list-credentials", "--tenant", other)[1] == [line for line in lines if other in line]
    assert run("list-credentials", "--tenant", "nobody")[1] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create-credential", "--tenant", "tenant_nobody", "--role", "owner"), "--tenant: there is no such tenant"),
        (("revoke-credential", "cred_nobody"), "ID: there is no such credential, or it was revoked before"),
    ],
)
def test_unknown_id_is_told_in_a_line(operator, run, tenant, arguments, message):
    """What does not exist ends a command with code 78, and nothing is done or recorded."""
    before = audited(operator)
    assert run(*arguments) == (78, [], [f"payproof_reference: {message}"])
    assert audited(operator) == before


def test_credential_is_revoked_once(run, tenant):
    """The time at which a credential was revoked does not move."""
    _, (token,), _ = run("create-credential", "--tenant", tenant, "--role", "owner")
    credential = "cred_" + token.split("_")[1]
    assert [run("revoke-credential", credential)[0] for _ in range(2)] == [0, 78]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "arguments",
    [
        ("--role", "root"),
        ("--role", "owner", "--days", "0"),
        ("--role", "owner", "--days", "367"),
        ("--role", "owner", "--days", "x"),
        (),
    ],
)
def test_argument_that_makes_no_sense_is_refused(run, tenant, capsys, arguments):
    """A role that is none, and a credential for no day or for more than a year, are refused before anything is done."""
    with pytest.raises(SystemExit) as ended:
        run("create-credential", "--tenant", tenant, *arguments)
    assert ended.value.code == 2
    assert "usage: " in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("create-tenant",), ("list-credentials",), ("revoke-credential", "x")])
def test_database_that_is_not_migrated_is_refused(operator, run, arguments):
    """Access is given in a database of this release only."""
    code, printed, (line,) = run(*arguments)
    assert (code, printed) == (78, [])
    assert "run `python -m payproof_reference migrate`" in line


@pytest.mark.parametrize("broken", ["DROP TABLE tenants", "UPDATE audit_anchors SET seal = 'x' WHERE name = 'end'"])
def test_change_that_cannot_be_made_or_recorded_is_not_made(operator, run, tenant, broken):
    """When the database or the audit log refuses, the command says so in a line, and there is no new tenant."""
    engine = open_database(operator.owner)
    with engine.begin() as connection:
        connection.exec_driver_sql(broken)
    engine.dispose()
    code, printed, (line,) = run("create-tenant")
    assert (code, printed) == (78, [])
    assert re.fullmatch("payproof_reference: the command failed and changed nothing: [A-Za-z]+Error", line)
    assert len(audited(operator)) == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO tenants VALUES ('a', 1)", "UPDATE credentials SET role = 'owner'", "DELETE FROM credentials"],
)
def test_service_cannot_give_access(engine, statement):
    """The role of the service may read who has access, and not change it (PCI DSS 7.2.5)."""
    with pytest.raises(Exception, match="permission denied"), engine.begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_only_the_answer_is_on_standard_output(addresses, operator, monkeypatch):
    """What a command logs goes to standard error, so that its answer can be handed to another program."""
    monkeypatch.setenv("BILLING_DATABASE_URL", addresses.service)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "payproof_reference", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    created = run("create-tenant")
    assert re.fullmatch(r"tenant_[a-z]{20}\n", created.stdout)
    assert '"event": "audit_log_begun"' in created.stderr
    token = run("create-credential", "--tenant", created.stdout.strip(), "--role", "owner")
    assert re.fullmatch(r"bil_[a-z]{20}_[A-Za-z0-9_-]{43}\n", token.stdout)
    assert token.stderr == ""
