"""Who may do what: rights of principals, contradictions in a target file, and credentials that are none."""

from random import Random

import pytest

from payproof.domain.access import Lockout, find_right
from payproof.domain.access_requests import change_credential, make_up_like, refused_actors
from payproof.domain.operation import Operation, Principal
from payproof.domain.sensitive import Secret
from payproof.errors import ConfigurationError
from tests.unit.test_operation_tables import TARGET, target

READER = '[principals.reader]\ncredential_env = "READER"\n'
LOCKOUT = '[contract.lockout]\nas = "{}"\nrequest = "POST /login"\n'
KNOWN = {"READER": "token-of-reader", "OTHER": "token-of-other"}
MANAGER = Principal("manager", Secret("credential", "bil_abcdef_0123456789"), tenant="a")
SUBSCRIBE = Operation("subscribe", "POST", "/subscriptions", "POST /v1/subscriptions", MANAGER)


def principal(**said):
    """Return another principal."""
    return Principal("reader", Secret("credential", "token-of-reader"), **said)


@pytest.mark.parametrize(
    ("who", "operation", "right"),
    [
        (MANAGER, SUBSCRIBE, True),
        (principal(), SUBSCRIBE, None),
        (principal(may=()), SUBSCRIBE, False),
        (principal(may=("sub*",)), SUBSCRIBE, True),
        (principal(may=("cancel",)), SUBSCRIBE, False),
        (principal(may=("*",), expired=True), SUBSCRIBE, False),
        (principal(may=()), Operation("pay", "POST", "/pay", "POST /v1/payment_intents"), True),
    ],
)
def test_rights(who, operation, right):
    """Who an operation is asked for as may do it, and who says so; what nobody has said is not known."""
    assert find_right(who, operation) is right


def test_rights_are_read(tmp_path):
    """A target file says tenants, rights, what has expired, how is refused, and what becomes of who guesses."""
    more = (
        'tenant = "a"\nmay = ["subscribe"]\n[principals.leaver]\ncredential_env = "OTHER"\nexpired = true\n'
        '[contract.access]\nforeign = [404]\n[contract.lockout]\nas = "leaver"\nrequest = "POST /login"\n'
        'body = { password = "{credential}" }\nseconds = 60\nelsewhere = "works"\n'
    )
    read = target(tmp_path, TARGET + READER + more, **KNOWN)
    reader, leaver = read.principals["reader"], read.principals["leaver"]
    assert (reader.tenant, reader.may, reader.expired, leaver.may, leaver.expired) == (
        "a",
        ("subscribe",),
        False,
        None,
        True,
    )
    assert (read.contract.access.foreign, read.contract.access.unknown) == (frozenset({404}), frozenset())
    body = {"password": "{credential}"}
    assert read.contract.lockout == Lockout("leaver", "POST", "/login", 10, 60, body, "works")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (READER + 'may = ["pay"]\n', "there is no operation 'pay'"),
        (READER + 'may = ["create_customer"]\nexpired = true\n', "'reader' is expired, and may do operations"),
        (LOCKOUT.format("readers") + READER, "unknown principal 'readers'"),
        (LOCKOUT.format("manager"), "'manager' is needed for operation 'create_customer'"),
        (
            '[operations.pay]\nrequest = "POST /pay"\ncalls = "POST /v1/payment_intents"\n' + READER + "may = []\n",
            "'reader' may not do 'pay', which anybody may, as it has no 'as'",
        ),
    ],
)
def test_contradictions_are_refused(tmp_path, more, problem):
    """What contradicts itself is told in one line, with its place."""
    with pytest.raises(ConfigurationError) as caught:
        target(tmp_path, TARGET + more, **KNOWN)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "t.toml:" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shape"),
    [("cus_NffrFeUfNV2Hib", 18), ("3f2b8c1a-0d4e-4f6a-9b7c-1a2b3c4d5e6f", 36), ("token", 5), ("op_qhzmvkqp", 11)],
)
def test_what_is_made_up_looks_alike(text, shape):
    """An id that is not there has the length, the sorts of characters and the prefix of one that is."""
    made = make_up_like(Random(1), text)
    assert (made != text, len(made), made[:3] == text[:3]) == (True, shape, "_" in text[:4])
    assert [c.isdigit() for c in made if c == "-"] == [c.isdigit() for c in text if c == "-"]


def test_a_short_number_becomes_a_large_one():
    """Small numbers are given out in turn: another small one may well be there."""
    assert int(make_up_like(Random(1), "17")) >= 10**9


@pytest.mark.parametrize("text", ["bil_abc_0123456789abcdef", "short", "eyJh.eyJz.c2lnbmF0dXJl", "a-------"])
def test_a_changed_credential_differs_in_one_place(text):
    """It keeps its length, its id and its last characters."""
    changed = change_credential(text, Random(1))
    assert sum(a != b for a, b in zip(changed, text, strict=True)) == 1
    assert changed[-1] == text[-1]


def test_who_may_is_not_asked_as(tmp_path):
    """Of known ones those are asked as who may not do an operation, and only for that; the expired for all of them."""
    more = READER + 'may = ["subscribe"]\n[principals.leaver]\ncredential_env = "OTHER"\nexpired = true\n'
    read = target(tmp_path, TARGET + more, **KNOWN)
    (lower,) = refused_actors(read, "lower", Random(1))
    assert (lower.label, [one.name for one in lower.operations]) == ("reader", ["create_customer"])
    (expired,) = refused_actors(read, "expired", Random(1))
    assert (expired.label, len(expired.operations)) == ("leaver", 2)
    (nobody,) = refused_actors(read, "nobody", Random(1))
    assert (nobody.principal, nobody.promise) == (None, "unknown")


def test_no_made_up_credential_is_the_right_one(tmp_path):
    """Nobody who is to be refused has a credential that is good."""
    read = target(tmp_path)
    for who in ("empty", "made_up", "changed", "placeholder"):
        for actor in refused_actors(read, who, Random(1)):
            assert actor.principal is not None
            assert actor.principal.credential.reveal() != read.principals["manager"].credential.reveal()
