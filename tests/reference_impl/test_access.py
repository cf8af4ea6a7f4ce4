import asyncio
import itertools
import re
import threading
import time
from dataclasses import replace

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import text
from structlog.testing import capture_logs

from payproof_reference.database import tables
from payproof_reference.database.tables import credentials as credentials_table
from payproof_reference.middleware import paths
from payproof_reference.middleware.access import Guard
from payproof_reference.services.identity import credentials, sign_in
from payproof_reference.services.identity.roles import Permission, Principal, Role
from tests.reference_impl.callers import ROUTES, Application, bearer, new_tenant, new_token
from tests.reference_impl.deliveries import new_key

ALLOWED = {
    Role.OWNER: {"read_billing", "manage_billing", "refund", "read_audit"},
    Role.BILLING_ADMIN: {"read_billing", "manage_billing", "refund"},
    Role.VIEWER: {"read_billing"},
    Role.AUDITOR: {"read_audit"},
}
BODY = {"customer": "cus_1"}


@pytest.fixture
def app(settings, engine):
    """The application, with small routes."""
    return Application.build(settings, engine)


def rows(owner, columns, table):
    with owner.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table}"))]


def unguarded(app):
    """Name the routes that nobody decided about: neither public nor behind a permission."""

    def has_guard(dependant):
        return any(isinstance(one.call, Guard) or has_guard(one) for one in getattr(dependant, "dependencies", ()))

    return [
        route.path
        for route in iter_route_contexts(app.routes)
        if route.path not in paths.PUBLIC and not has_guard(getattr(route, "dependant", None))
    ]


def test_every_route_is_public_on_purpose_or_needs_a_permission(client, settings):
    """Default deny: whoever adds a route says who may ask, or enters its path here and in the list."""
    told = replace(client, settings=settings.model_copy(update={"openapi": True}))
    assert unguarded(told.app) == []
    assert {"/webhooks/stripe", "/webhooks/stripe/connect", "/health", "/openapi.json"} == paths.PUBLIC


def test_openapi_document_says_which_routes_need_a_token(settings, engine):
    """A route with a permission declares the bearer scheme, and only such a one."""
    told = Application.build(settings.model_copy(update={"openapi": True}), engine)
    described = told.request("GET", "/openapi.json").json()["paths"]
    assert described["/small/billing"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "security" not in described["/webhooks/stripe"]["post"]


def test_route_without_a_permission_is_found(app):
    """The walk over the routes sees those of an included router, and finds the one whose author forgot."""
    assert unguarded(app.app) == ["/small/forgotten"]


def test_forgotten_route_is_closed_to_strangers(app):
    """Without its dependency, a route still needs a token."""
    assert app.request("GET", "/small/forgotten").status_code == 401


def test_table_of_permissions_is_what_was_agreed():
    """Each role has exactly its permissions, and a role that is none has nothing."""
    assert {
        role: {permission for permission in Permission if Principal("a", "b", role).may(permission)} for role in Role
    } == ALLOWED
    assert not any(Principal("a", "b", "root").may(permission) for permission in Permission)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("role", "permission"), list(itertools.product(Role, Permission)))
def test_route_is_for_roles_with_its_permission(app, owner, settings, role, permission):
    """Every role is let in to what it may do, and answered 403 everywhere else."""
    method, path = ROUTES[permission]
    body = {"json": BODY} if method == "POST" else {}
    answer = app.request(method, path, headers=bearer(new_token(owner, settings, role)), **body)
    assert answer.status_code == (200 if permission in ALLOWED[role] else 403)


def test_route_is_told_who_asks(app, owner, settings):
    """The principal is that of the credential, whatever the request says beside it."""
    tenant = new_tenant(owner)
    token = new_token(owner, settings, Role.VIEWER, tenant)
    answer = app.request("GET", f"/small/billing/x?tenant_id={new_tenant(owner)}", headers=bearer(token))
    assert answer.json() == [f"credential:{token.credential_id}", tenant, "x"]


def test_refused_permission_is_recorded(app, owner, settings):
    """A 403 says nothing of what was lacking; the audit log does, to the auditor of the tenant."""
    tenant = new_tenant(owner)
    token = new_token(owner, settings, Role.VIEWER, tenant)
    with capture_logs() as lines:
        answer = app.request("POST", "/small/changes", headers=bearer(token), json={"no": "change"})
    assert answer.status_code == 403
    assert answer.json() == {"error": {"code": "forbidden", "message": "The request is not permitted."}}
    assert rows(owner, "event, actor, result, reason, origin, tenant_id", "audit_log") == [
        ("permission_refused", f"credential:{token.credential_id}", "refused", "manage_billing", "127.0.0.1", tenant)
    ]
    assert [(line["event"], line["permission"]) for line in lines] == [("permission_refused", "manage_billing")]


def test_stranger_learns_nothing_of_a_route(app):
    """A body that is no JSON, one of another shape, a wrong type and a path that is not there: all get one 401."""

    async def body():
        pytest.fail("the body of a stranger was read")
        yield b""

    answers = [
        app.request("POST", "/small/changes", json={"no": "change"}),
        app.request("POST", "/small/changes", content=b"{"),
        app.request("POST", "/small/changes", content=b"<a/>", headers={"Content-Type": "text/xml"}),
        app.request("POST", "/small/changes", content=body()),
        app.request("GET", "/small/refund?number=x"),
        app.request("DELETE", "/small/refund"),
        app.request("GET", "/nowhere"),
    ]
    assert {(answer.status_code, answer.content, str(answer.headers)) for answer in answers} == {
        (401, answers[0].content, str(answers[0].headers))
    }


def test_permission_comes_before_the_body_is_validated(app, owner, settings):
    """Who may not change anything is not told what a change looks like; who may is answered 422."""
    wrong = {"json": {"no": "change"}}
    viewer, admin = (new_token(owner, settings, role) for role in (Role.VIEWER, Role.BILLING_ADMIN))
    assert app.request("POST", "/small/changes", headers=bearer(viewer), **wrong).status_code == 403
    assert app.request("POST", "/small/changes", headers=bearer(admin), **wrong).status_code == 422


def test_guarded_route_on_a_public_path_is_closed(app, owner, settings, monkeypatch):
    """Where nobody is asked to sign in, nobody has a permission."""
    monkeypatch.setattr(paths, "PUBLIC", paths.PUBLIC | {"/small/billing"})
    answer = app.request("GET", "/small/billing", headers=bearer(new_token(owner, settings)))
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_every_failed_sign_in_looks_the_same(app, owner, settings):
    """All causes share status, body and headers; the logs tell them apart and hold nothing of what was sent."""
    token, day = new_token(owner, settings), 24 * 3600
    secret = token.secret[::-1]
    expired = new_token(owner, settings, now=int(time.time()) - day)
    revoked, locked = new_token(owner, settings), new_token(owner, settings)
    with owner.begin() as connection:
        assert credentials.revoke_credential(connection, revoked.credential_id, 1)
        connection.execute(
            tables.sign_in_failures.insert().values(
                party=f"{locked.credential_id} 127.0.0.1", failures=10, last_failed_at=1, locked_until=9 * 10**9
            )
        )
    stranger = replace(token, credential_id="cred_" + "x" * 20)
    offered = {
        "missing": [{}],
        "malformed": [
            *({"Authorization": value} for value in ("", "Bearer", "Basic YTpi", f"Bearer {token.reveal()} x")),
            *({"Authorization": value} for value in (token.reveal(), b"Bearer \xe9", "Bearer " + "a" * 10_000)),
            [*bearer(token).items(), *bearer(token).items()],
        ],
        "unknown": [bearer(stranger)],
        "mismatch": [bearer(replace(token, secret=secret))],
        "expired": [bearer(expired)],
        "revoked": [bearer(revoked)],
        "locked_out": [bearer(locked), bearer(replace(locked, secret=secret))],
    }
    with capture_logs() as lines:
        answers = [app.request("GET", "/small/billing", headers=one) for each in offered.values() for one in each]
    assert len({(answer.status_code, answer.content, str(answer.headers)) for answer in answers}) == 1
    assert (answers[0].status_code, answers[0].headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answers[0].json() == {
        "error": {"code": "unauthorized", "message": "The request could not be verified."},
    }
    expected = [cause for cause, each in offered.items() for _ in each]
    assert [line["cause"] for line in lines if line["event"] == "sign_in_failed"] == expected
    columns = "event, actor, result, reason, origin, object_id, tenant_id"
    recorded = [row for row in rows(owner, columns, "audit_log ORDER BY sequence") if row[0] != "sign_in_locked"]
    assert [row[:5] for row in recorded] == [
        ("sign_in_failed", "anonymous", "refused", cause, "127.0.0.1") for cause in expected
    ]
    known = [row[5:] for row in recorded if row[3] not in {"missing", "malformed", "unknown"}]
    assert known == [(one.credential_id, "tenant_" + "a" * 20) for one in (token, expired, revoked, locked, locked)]
    assert {row[5:] for row in recorded if row[5:] not in known} == {(None, None)}
    for trace in (token.secret, secret, stranger.credential_id, locked.secret):
        assert trace not in str(lines) + str(recorded)


def test_scheme_may_be_spelt_in_any_case(app, owner, settings):
    """RFC 9110, 11.1: schemes are case-insensitive."""
    header = {"Authorization": f"bEARER  {new_token(owner, settings).reveal()}"}
    assert app.request("GET", "/small/billing", headers=header).status_code == 200


def test_secret_is_nowhere_but_in_the_token(app, owner, settings):
    """No table, no file of the database and no log line holds it; the digest is that of no plain hash."""
    token = new_token(owner, settings)
    with capture_logs() as lines:
        assert app.request("GET", "/small/billing", headers=bearer(token)).status_code == 200
        app.request("GET", "/small/billing", headers=bearer(token.reveal() + "x"))
    with owner.connect() as connection:
        held = [str(connection.execute(table.select()).all()) for table in tables.metadata.sorted_tables]
        if owner.name == "sqlite":
            path = connection.exec_driver_sql("PRAGMA database_list").one()[2]
    traces = str(held) + str(lines) + repr(token)
    if owner.name == "sqlite":
        for suffix in ("", "-wal"):
            with open(path + suffix, "rb") as file:  # noqa: PTH123 - a suffix is no extension
                traces += file.read().decode("latin-1")
    assert token.secret not in traces
    assert re.fullmatch(r"bil_[a-z]{20}_[A-Za-z0-9_-]{43}", token.reveal())
    assert token.credential_id in traces


def test_tokens_are_not_made_twice(owner, settings):
    """Neither ids nor secrets repeat, and an id has no digit that a scan could take for a card number's."""
    made = [new_token(owner, settings) for _ in range(20)]
    assert len({token.credential_id for token in made} | {token.secret for token in made}) == 40
    assert all(re.fullmatch("cred_[a-z]{20}", token.credential_id) for token in made)


@pytest.mark.parametrize("change", [{"role": "owner"}, {"tenant_id": "tenant_b"}, {"secret_digest": "another's"}])
def test_row_that_was_changed_by_hand_lets_nobody_in(app, owner, settings, change):
    """Whoever can write the table and has not the key can neither promote, move nor copy a credential."""
    another = new_token(owner, settings, Role.VIEWER)
    token = new_token(owner, settings, Role.VIEWER)
    with owner.begin() as connection:
        digest = connection.execute(
            credentials_table.select().where(credentials_table.c.credential_id == another.credential_id)
        ).one()
        if "secret_digest" in change:
            change = {"secret_digest": digest.secret_digest}
        mine = credentials_table.c.credential_id == token.credential_id
        connection.execute(credentials_table.update().where(mine).values(change))
    sent = token if "secret_digest" not in change else replace(token, secret=another.secret)
    assert app.request("GET", "/small/billing", headers=bearer(sent)).status_code == 401
    assert app.request("GET", "/small/billing", headers=bearer(another)).status_code == 200


def test_stolen_table_is_of_no_use_under_another_key(owner, engine, settings):
    """A token counts only under the key that it was made with."""
    token = new_token(owner, settings)
    other = Application.build(
        settings.model_copy(update={"credential_key": type(settings.audit_key)(new_key())}), engine
    )
    assert other.request("GET", "/small/billing", headers=bearer(token)).status_code == 401


def test_nobody_passes_while_the_database_refuses(app, owner, settings):
    """When credentials cannot be read, or a failure cannot be counted, the answer is 503 and not a way in."""
    token = new_token(owner, settings)
    with owner.begin() as blocker:
        if owner.name == "postgresql":
            blocker.exec_driver_sql("LOCK TABLE sign_in_failures IN EXCLUSIVE MODE")
        with capture_logs():
            answer = app.request("GET", "/small/billing", headers=bearer(replace(token, secret=token.secret[::-1])))
    assert answer.status_code == 503
    assert rows(owner, "*", "audit_log") == rows(owner, "*", "sign_in_failures") == []
    with owner.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE credentials RENAME TO elsewhere")
    with capture_logs():
        answer = app.request("GET", "/small/billing", headers=bearer(token))
    assert answer.status_code == 503
    assert "credentials" not in answer.text


def test_flood_of_failures_leaves_room_for_callers(app, owner, settings, monkeypatch):
    """While a hundred failures wait to be written, one after another, who has a right token is served."""
    token, enter = new_token(owner, settings), sign_in.enter_failure
    begun, go_on = threading.Event(), threading.Event()

    def slow(*given):
        begun.set()
        go_on.wait(60)
        return enter(*given)

    async def flood():
        async with app.opened() as client:
            waiting = [asyncio.create_task(client.get("/small/billing")) for _ in range(100)]
            try:
                await asyncio.to_thread(begun.wait, 60)
                answer = await asyncio.wait_for(client.get("/small/billing", headers=bearer(token)), 30)
                unanswered = [task for task in waiting if not task.done()]
            finally:
                go_on.set()
            return answer, len(unanswered), {one.status_code for one in await asyncio.gather(*waiting)}

    monkeypatch.setattr(sign_in, "enter_failure", slow)
    with capture_logs():
        answer, unanswered, refused = asyncio.run(flood())
    assert (answer.status_code, unanswered, refused) == (200, 100, {401})
