"""The command `payproof init`: what it finds of a service, of its project and of what lies beside it."""

import json
import sqlite3
import tomllib

import jsonschema
import pytest

from payproof.language import read_target
from tests.end_to_end import hostile
from tests.end_to_end.billing import genuine
from tests.end_to_end.command import SECRET, payproof_here
from tests.end_to_end.hostile import Server, answer

HOOK = "/stripe/webhook"


def init(tmp_path, behave, *options):
    """Write a target file by looking at a server; return how it ended, the file, and what was sent."""
    file = tmp_path / "payproof.toml"
    with Server(behave) as server:
        ended = payproof_here("init", server.url, "--output", file, "--project", tmp_path, *options)
    return ended, file, server.requests


def taken(file):
    """Read a target file as a run would, with its secret set and its schema checked."""
    jsonschema.validate(
        tomllib.loads(file.read_text()),
        json.loads(payproof_here("schema", "target").out),
        jsonschema.Draft202012Validator,
    )
    return read_target(file, {"STRIPE_WEBHOOK_SECRET": SECRET})


def test_init_reads_openapi(tmp_path):
    """The webhook's path and its refusal are found by the OpenAPI document, also a large one; the file can be run."""
    ended, file, requests = init(tmp_path, hostile.openapi("/billing/v2/stripe-events"))
    assert (ended.code, ended.err) == (0, "")
    target = taken(file)
    assert target.webhook.path == "/billing/v2/stripe-events"
    assert target.contract.rejected == {400}
    assert "OpenAPI document at /openapi.json" in file.read_text()
    assert {(request.method, request.body) for request in requests} == {("GET", b""), ("POST", b"{}")}


def test_editors_find_the_schema(tmp_path):
    """The file begins with the line by which editors find its schema, which is written beside it."""
    _, file, _ = init(tmp_path, hostile.openapi("/billing/stripe"))
    line, *_ = file.read_text().splitlines()
    name = line.removeprefix("#:schema ./")
    assert json.loads((tmp_path / name).read_text()) == json.loads(payproof_here("schema", "target").out)
    other = tmp_path / "scenario.json"
    assert payproof_here("schema", "scenario", "--output", other).out == ""
    assert other.read_text() == payproof_here("schema", "scenario").out
    assert payproof_here("schema", "target", "--output", tmp_path / "nowhere" / "x.json").code == 4


def test_init_tries_customary_paths(tmp_path):
    """Without an OpenAPI document the customary paths are tried; a login page elsewhere is no obstacle."""

    def behave(peer, request):
        if request.target == "/stripe/webhook":
            peer.send(hostile.answer(403))
        else:
            peer.send(hostile.answer(302, b"", (b"Location: https://login.example/",)))

    ended, file, _ = init(tmp_path, behave)
    assert (ended.code, ended.err) == (0, "")
    assert taken(file).webhook.path == "/stripe/webhook"
    assert taken(file).contract.rejected == {403}


@pytest.mark.parametrize(
    "path",
    ['/web"hook', "/webhook\n[x]\n", "/webhook/\x7f", "/webhook\ud800", "webhook", "/web hook", "/webhook\\u0041"],
)
def test_init_quotes_what_a_server_names(tmp_path, path):
    """Whatever stands in a server's OpenAPI document, the file that is written can be read, and holds no more keys."""
    document = json.dumps({"openapi": "3.1.0", "paths": {path: {"post": {}}}}).encode()

    def behave(peer, request):
        peer.send(hostile.answer(200, document) if request.target == "/openapi.json" else hostile.answer(404))

    ended, file, _ = init(tmp_path, behave)
    assert (ended.code, ended.err) == (0, "")
    assert taken(file).webhook.path in {path, "/webhooks/stripe"}
    assert "x" not in tomllib.loads(file.read_text())


def test_init_then_run(tmp_path, monkeypatch):
    """The file that init writes beside the work is what is run next, without being named, and never the reference."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", SECRET)
    monkeypatch.delenv("PAYPROOF_TARGET", raising=False)
    case = ("--scenario", "webhook_signature/missing[no_header]")
    with Server(hostile.verifying(lambda request: request.method == "POST" and len(request.body) > 2)) as server:
        assert payproof_here("run", *case).code == 4
        ended = payproof_here("init", server.url + "/hook")
        assert ended.out.endswith("then: payproof run\n")
        ended = payproof_here("run", *case)
    assert ended.code == 1
    assert ended.out.splitlines()[0].endswith(f"(local) at {server.url}, described by payproof.toml")
    assert "again  payproof run --target payproof.toml " in ended.out


def test_init_without_a_find(tmp_path):
    """Where no webhook is found, the file says so and can still be read."""
    ended, file, _ = init(tmp_path, hostile.always(404))
    assert (ended.code, ended.err) == (0, "")
    assert "NOT FOUND" in file.read_text()
    assert taken(file).webhook.path == "/webhooks/stripe"


def test_init_keeps_an_existing_file(tmp_path):
    """An existing file is replaced with --force only; nothing is sent before that is known."""
    (tmp_path / "payproof.toml").write_text("mine")
    ended, file, requests = init(tmp_path, hostile.always(404))
    assert (ended.code, requests, file.read_text()) == (4, [], "mine")
    assert ended.line == f"payproof: {file}: there is a file already; give --output or --force"
    ended, file, _ = init(tmp_path, hostile.always(404), "--force")
    assert ended.code == 0
    assert file.read_text() != "mine"


def test_init_unreachable(tmp_path):
    """A host that gives no answer is one line with code 3, and no file."""
    ended, file, _ = init(tmp_path, hostile.close_at_once)
    assert ended.code == 3
    assert ended.line.startswith("payproof: unreachable: ")
    assert not file.exists()


def at(path, unsigned, wrong=None, elsewhere=404):
    """A webhook that answers deliveries with and without a signature; another status everywhere else."""

    def behave(peer, request):
        here = request.method == "POST" and request.target == path
        signed = request.header("Stripe-Signature") is not None
        peer.send(answer(elsewhere if not here else wrong if signed and wrong else unsigned, b"said"))

    return behave


def moved(peer, request):
    """A site that adds the slash, as Django and Flask do."""
    if request.target == HOOK:
        peer.send(answer(301, b"", (f"Location: {HOOK}/".encode(),)))
    else:
        peer.send(answer(400 if request.target == f"{HOOK}/" else 404))


def guarded(peer, request):
    """A site of which all below /api/ is behind a login, whether there is something or not."""
    peer.send(answer(401 if request.target.startswith("/api/") else 400 if request.target == "/webhook" else 404))


def with_form(peer, request):
    """A site whose start page has a form, and wants its token; its webhook fails at what is no event."""
    if request.target == "/_stripe/webhook/":
        peer.send(answer(500))
    else:
        status = 403 if request.target == "/" else 404
        peer.send(answer(status, b"<html>token missing</html>", kind=b"text/html"))


def debugging(peer, request):
    """Django in debug mode, which lists its routes on the page for what is not found."""
    listed = b"<html><ol><li>\n admin/\n</li><li>shop/ ^pay/stripe-hook/$ [name='hook']</li></ol>"
    peer.send(answer(400) if request.target == "/shop/pay/stripe-hook/" else answer(404, listed))


@pytest.mark.parametrize(
    ("behave", "path", "told"),
    [
        (at(HOOK, 400), HOOK, "answered 400 to an unsigned delivery"),
        (at(HOOK, 500), HOOK, "answered 500 to an unsigned delivery, as if it failed"),
        (at(HOOK, 200, 400), HOOK, "answered 400 to a wrong signature"),
        (at(HOOK, 400, elsewhere=200), HOOK, "answered 400"),
        (at(HOOK, 400, elsewhere=401), HOOK, "answered 400"),
        (moved, f"{HOOK}/", f"{HOOK} leads there; answered 400"),
        (guarded, "/webhook", "answered 400"),
        (with_form, "/_stripe/webhook/", "answered 500"),
        (debugging, "/shop/pay/stripe-hook/", "answered 400"),
    ],
    ids=["plain", "fails", "ignores", "single_page", "all_guarded", "slash", "guarded_below", "form", "debug_page"],
)
def test_init_finds_the_webhook(tmp_path, behave, path, told):
    """The webhook is where a delivery is answered otherwise than at a place beside it that no route has."""
    ended, file, _ = init(tmp_path, behave)
    assert (ended.code, ended.err) == (0, "")
    assert taken(file).webhook.path == path
    assert f"webhook   {path}: " in ended.out
    assert told in ended.out


@pytest.mark.parametrize("behave", [at(HOOK, 200, elsewhere=200), hostile.always(401), hostile.always(500)])
def test_init_names_no_webhook_where_every_place_answers_alike(tmp_path, behave):
    """A site that answers the same everywhere shows no webhook, and the file says so."""
    ended, file, _ = init(tmp_path, behave)
    assert ended.code == 0
    assert "webhook   not found" in ended.out
    assert "NOT FOUND" in file.read_text()


def test_init_takes_a_named_webhook(tmp_path):
    """A webhook that is named is taken with its query, by its path or its URL, and nothing else is tried."""
    behave = at("/index.php?option=shop&task=hook", 400)
    ended, file, requests = init(tmp_path, behave, "--webhook", "/index.php?option=shop&task=hook")
    assert ended.code == 0
    assert taken(file).webhook.path == "/index.php?option=shop&task=hook"
    assert [one.target for one in requests if one.method == "POST"][:1] == ["/index.php?option=shop&task=hook"]
    ended, _, _ = init(tmp_path, behave, "--force", "--webhook", "https://elsewhere.example/hook")
    assert ended.code == 4
    assert "the webhook is at https://elsewhere.example, not at " in ended.line


def test_init_names_a_route_with_a_parameter(tmp_path):
    """A route that a debug page lists with a parameter cannot be asked for: it is told."""
    page = b"<html><ol><li>stripe/ webhook/&lt;uuid:uuid&gt;/ [name='hook']</li></ol>"
    ended, file, _ = init(tmp_path, lambda peer, _: peer.send(answer(404, page)))
    told = "/stripe/webhook/<uuid:uuid>/"
    assert told in ended.out
    assert told in file.read_text()


def test_init_finds_what_lies_beside(tmp_path, monkeypatch):
    """Library, database, log and customer of a local service's project are found, and how it may be started."""
    (tmp_path / "package.json").write_text(
        '{"dependencies": {"express": "5", "stripe": "20"}, "scripts": {"start": ""}}'
    )
    (tmp_path / "logs").mkdir()
    (tmp_path / "old.log").write_text("something else\n")
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("create table users (name, stripe_id, plan_id)")
        shop.execute("insert into users values ('Ada', 'cus_Ada0123456', 'sub_Ada0123456')")
    shop.close()
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_" + "test_" + "0123456789abcdef")
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:12111")

    def behave(peer, request):
        with (tmp_path / "logs" / "access.log").open("a") as log:
            log.write(f"{request.method} {request.target}\n")
        peer.send(answer(400 if request.target == HOOK else 404))

    ended, file, _ = init(tmp_path, behave)
    assert (ended.code, ended.err) == (0, "")
    written = tomllib.loads(file.read_text())
    assert written["environment"] == "local"
    assert written["api_key_env"] == "STRIPE_SECRET_KEY"
    assert [one["url"] for one in written["stores"]] == ["sqlite:shop.db"]
    assert [one["url"] for one in written["logs"]] == ["file:logs/access.log"]
    assert written["subject"] == {"customer": "cus_Ada0123456", "subscription": "sub_Ada0123456"}
    assert written["contract"]["sdk"] == "node"
    assert written["upstream"] == {"url": "http://127.0.0.1:12111"}
    assert "waive" not in written
    assert '# start = ["npm", "start"]' in file.read_text()
    assert written["contract"]["framework"] == "express"
    assert "framework express (by package.json)" in ended.out
    assert 'sdk = "node"   # by package.json' in file.read_text()
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "logs", "old.log", "package.json", "payproof.schema.json", "payproof.toml", "shop.db",
    ]  # fmt: skip


def test_init_leaves_out_a_database_that_cannot_be_opened(tmp_path, monkeypatch):
    """A variable that names a database which does not answer is told, and the file can be used without it."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:geheim@127.0.0.1:1/none")
    ended, file, _ = init(tmp_path, at(HOOK, 400))
    assert ended.code == 0
    assert "store     left out: " in ended.out
    assert "geheim" not in ended.out + file.read_text()
    assert "stores" not in tomllib.loads(file.read_text())


def test_init_refuses_a_store_that_was_named_and_cannot_be_opened(tmp_path):
    """A store that was named must be there: one line, no file."""
    ended, file, _ = init(tmp_path, at(HOOK, 400), "--store", "sqlite:missing.db")
    assert ended.code in {3, 4}
    assert "missing.db" in ended.line
    assert not file.exists()


@pytest.mark.parametrize("log", ["missing.log", "file:missing.log"])
def test_init_refuses_a_log_that_was_named_and_cannot_be_opened(tmp_path, log):
    """A log that was named must be there: one line, no file."""
    ended, file, _ = init(tmp_path, at(HOOK, 400), "--log", log)
    assert ended.code == 4
    assert "missing.log" in ended.line
    assert not file.exists()


def test_init_takes_files_by_their_names(tmp_path, monkeypatch):
    """A database and a log may be named as files; a variable that holds a database's URL by its name."""
    sqlite3.connect(tmp_path / "shop.db").close()
    (tmp_path / "shop.log").touch()
    ended, file, _ = init(tmp_path, at(HOOK, 400), "--store", "shop.db", "--log", "shop.log")
    assert (ended.code, ended.err) == (0, "")
    written = tomllib.loads(file.read_text())
    assert [one["url"] for one in written["stores"] + written["logs"]] == ["sqlite:shop.db", "file:shop.log"]
    monkeypatch.setenv("BILLING_URL", f"sqlite:{tmp_path}/shop.db")
    ended, file, _ = init(tmp_path, at(HOOK, 400), "--store", "BILLING_URL", "--force")
    assert (ended.code, ended.err) == (0, "")
    assert tomllib.loads(file.read_text())["stores"] == [{"name": "database", "url_env": "BILLING_URL"}]


def test_init_recognises_what_answers(tmp_path):
    """Framework and library are known by what is answered, where no file tells; a comment says from what."""
    missing = b"<!DOCTYPE html>\n<pre>Cannot POST /nothing</pre>"
    words = b"No stripe-signature header value was provided."

    def behave(peer, request):
        here = request.target == HOOK
        peer.send(answer(400, words) if here else answer(404, missing, kind=b"text/html; charset=utf-8"))

    ended, file, _ = init(tmp_path, behave)
    assert ended.code == 0
    target = taken(file)
    assert (target.contract.framework, target.contract.sdk) == ("express", "node")
    assert 'framework = "express"   # by its page for what is missing' in file.read_text()
    assert 'sdk = "node"   # by its words about a missing header' in file.read_text()


def test_init_does_not_guess_a_library(tmp_path):
    """A framework alone tells the language of a library, which becomes a comment."""
    behave = at(HOOK, 400)

    def on_go(peer, request):
        gone = answer(404, b"404 page not found\n", kind=b"text/plain; charset=utf-8")
        behave(peer, request) if request.target == HOOK else peer.send(gone)

    ended, file, _ = init(tmp_path, on_go)
    assert ended.code == 0
    assert taken(file).contract.sdk is None
    assert taken(file).contract.framework == "net_http"
    assert '# sdk = "go"   # where Stripe\'s library verifies' in file.read_text()


def test_init_writes_operations_that_want_nothing(tmp_path, monkeypatch):
    """Where the upstream is known, an operation of which all is known is written; another says what is missing."""
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:12111")
    price = {"required": ["price"], "properties": {"price": {"type": "string", "example": "price_team"}}}
    body = {"content": {"application/json": {"schema": price}}}
    paths = {
        HOOK: {"post": {}},
        "/checkout": {"post": {"requestBody": body}},
        "/subscriptions/{id}/cancel": {"post": {"security": [{"bearer": []}]}},
    }
    document = json.dumps({"openapi": "3.1.0", "paths": paths}).encode()

    def behave(peer, request):
        found = request.target == "/openapi.json"
        peer.send(answer(200, document) if found else answer(400 if request.target == HOOK else 404))

    ended, file, _ = init(tmp_path, behave)
    assert ended.code == 0
    operations = taken(file).operations
    assert [(one.name, one.body) for one in operations.values()] == [("checkout", {"price": "price_team"})]
    told = "# missing: where {id} comes from (after and keep); who may ask ([principals] and as)\n"
    assert f'calls = "POST /v1/subscriptions/*"\n{told}' in file.read_text()


def test_init_proposes_operations(tmp_path):
    """Operations that an OpenAPI document offers are proposed as comments, with what their bodies must have."""
    schemas = {
        "Order": {
            "required": ["price", "seats", "kind"],
            "properties": {
                "price": {"type": "string", "example": "price_team"},
                "seats": {"type": "integer"},
                "kind": {},
            },
        }
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}
    paths = {
        HOOK: {"post": {}},
        "/checkout": {"post": {"requestBody": body}},
        "/subscriptions/{id}/cancel": {"post": {}},
        "/strange": {"post": "no operation"},
    }
    document = json.dumps({"openapi": "3.1.0", "paths": paths, "components": {"schemas": schemas}}).encode()

    def behave(peer, request):
        found = request.target == "/openapi.json"
        peer.send(answer(200, document) if found else answer(400 if request.target == HOOK else 404))

    ended, file, _ = init(tmp_path, behave)
    assert ended.code == 0
    text = file.read_text()
    assert tomllib.loads(text)["openapi"] == "/openapi.json"
    assert '# [operations.checkout]\n# request = "POST /checkout"\n# calls = "POST /v1/checkout/sessions"\n' in text
    assert '# body = {price = "price_team", seats = 1, kind = "a kind"}\n' in text
    assert """# missing: a value for 'seats' in its body; a value for 'kind' in its body; [upstream]\n""" in text
    assert '# [operations.cancel]\n# request = "POST /subscriptions/{id}/cancel"\n' in text


def shop(folder):
    """A webhook of another API version that keeps the state of its one customer's subscription."""
    with sqlite3.connect(folder / "shop.db") as database:
        database.execute("create table users (customer, status, seats)")
        database.execute("insert into users values ('cus_Ada0123456', '', 0)")
    database.close()

    def behave(peer, request):
        if request.method != "POST" or request.target != HOOK:
            return peer.send(answer(404))
        if not genuine(request) or b'"2025-09-30.clover"' not in request.body:
            return peer.send(answer(400))
        event = json.loads(request.body)
        thing = event["data"]["object"]
        if event["type"] == "customer.subscription.updated" and thing["customer"] == "cus_Ada0123456":
            with sqlite3.connect(folder / "shop.db") as database:
                seats = thing["items"]["data"][0]["quantity"]
                database.execute("update users set status = ?, seats = ?", (thing["status"], seats))
            database.close()
        return peer.send(answer(200))

    return behave


def test_init_tries_the_file(tmp_path, monkeypatch):
    """With the secret at hand the file is tried: the API version that is taken, what is handled, and a control."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", SECRET)
    ended, file, _ = init(tmp_path, shop(tmp_path))
    assert (ended.code, ended.err) == (0, "")
    assert "reacts to 1 of " in ended.out
    written = tomllib.loads(file.read_text())
    assert written["webhook"]["api_version"] == "2025-09-30.clover"
    assert written["contract"]["handles"] == ["customer.subscription.updated"]
    assert written["control"]["event"] == "customer.subscription.updated"
    text = file.read_text()
    assert text.index("handles = ") < text.index("# [upstream]"), "what is uncommented must not take it over"


def test_init_keeps_the_file_that_it_cannot_try(tmp_path, monkeypatch):
    """A trial that is refused is told with the likely cause, code 3, and the file stays to be mended."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", SECRET)
    ended, file, _ = init(tmp_path, at(HOOK, 400))
    assert ended.code == 3
    assert "genuine events refused: " in ended.line
    assert "the file is written" in ended.line
    assert taken(file).webhook.path == HOOK
