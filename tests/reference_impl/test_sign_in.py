from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from payproof_reference.services.identity import sign_in
from payproof_reference.services.identity.roles import Principal
from payproof_reference.services.identity.sign_in import SignInCause
from tests.reference_impl.callers import bearer, new_token

NOW = 1_800_000_000
HALF_HOUR = 1800
HERE, ELSEWHERE = "192.0.2.1", "2001:db8::1"


@pytest.fixture
def gate(engine, audit, settings):
    """Sign in at a time from an address, and count it when that fails: returns the cause, or None."""

    def gate(token, now=NOW, origin=HERE):
        judged = sign_in.sign_in(engine, settings.credential_key, [bearer(token)["Authorization"]], origin, now)
        if isinstance(judged, Principal):
            return None
        return sign_in.enter_failure(engine, audit, judged, origin, now)[0].reason

    return gate


@pytest.fixture
def token(owner, settings):
    """The token of a credential that is valid now."""
    return new_token(owner, settings, now=NOW)


def wrong(token):
    return replace(token, secret=token.secret[::-1])


def failures(engine):
    with engine.connect() as connection:
        statement = text("SELECT party, failures, locked_until FROM sign_in_failures ORDER BY party")
        return [tuple(row) for row in connection.execute(statement)]


def events(engine):
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT event FROM audit_log ORDER BY sequence")).scalars())


def test_tenth_failure_locks_for_half_an_hour(gate, token, engine):
    """Ten failures lock the party, even for the right token, until half an hour has passed (PCI DSS 8.3.4)."""
    assert [gate(wrong(token), NOW + second) for second in range(10)] == [SignInCause.MISMATCH] * 10
    assert events(engine) == ["sign_in_failed"] * 10 + ["sign_in_locked"]
    until = NOW + 9 + HALF_HOUR
    assert failures(engine) == [(f"{token.credential_id} {HERE}", 10, until)]
    assert [gate(token, at) for at in (NOW + 9, until - 1)] == [SignInCause.LOCKED_OUT] * 2
    assert gate(token, until) is None
    assert failures(engine) == []


def test_failures_while_locked_do_not_prolong_it(gate, token, engine):
    """What is tried meanwhile is recorded and neither counts nor locks for longer; afterwards ten count anew."""
    for _ in range(10):
        gate(wrong(token))
    before = failures(engine)
    assert gate(wrong(token), NOW + HALF_HOUR - 1) == SignInCause.LOCKED_OUT
    assert failures(engine) == before
    assert events(engine)[-1] == "sign_in_failed"
    assert gate(wrong(token), NOW + HALF_HOUR) == SignInCause.MISMATCH
    assert failures(engine) == [(f"{token.credential_id} {HERE}", 1, None)]


def test_nine_failures_and_a_success_lock_nobody(gate, token, engine):
    """A success clears the count."""
    for _ in range(3):
        for _ in range(9):
            assert gate(wrong(token)) == SignInCause.MISMATCH
        assert gate(token) is None
        assert failures(engine) == []


def test_failures_further_apart_do_not_add_up(gate, token, engine):
    """A failure half an hour after the one before it is the first again; one second earlier it counts."""
    for count in range(9):
        gate(wrong(token), NOW + count)
    assert gate(wrong(token), NOW + 8 + HALF_HOUR) == SignInCause.MISMATCH
    assert failures(engine)[0][1] == 1
    gate(wrong(token), NOW + 8 + 2 * HALF_HOUR - 1)
    assert failures(engine)[0][1] == 2


def test_lock_is_for_one_credential_at_one_address(gate, token, owner, settings, engine):
    """An attacker locks out neither who owns the credential and is elsewhere, nor others at the same address."""
    other = new_token(owner, settings, now=NOW)
    for _ in range(10):
        gate(wrong(token))
    assert gate(token, origin=ELSEWHERE) is None
    assert gate(other) is None
    assert gate(token) == SignInCause.LOCKED_OUT


def test_unknown_ids_are_one_party(gate, token, engine):
    """Made-up ids and no tokens at all share one row for each address, which the longest address fits into."""
    for letter in "abcdefghijklmnopqrst":
        gate(replace(token, credential_id="cred_" + letter * 20))
        gate("nonsense")
    longest = "fe80:1234:1234:1234:1234:1234:1234:1234%" + "e" * 15
    gate("nonsense", origin=longest)
    gate(wrong(token), origin=longest)
    assert [row[:2] for row in failures(engine)] == [
        (f"{token.credential_id} {longest}", 1),
        (f"unknown {HERE}", 10),
        (f"unknown {longest}", 1),
    ]
    assert events(engine).count("sign_in_locked") == 1
    assert gate(token) is None


@pytest.mark.parametrize(("tries", "counted", "locked"), [(9, 9, 0), (30, 10, 1)])
def test_counting_is_exact_when_failures_come_at_once(gate, token, engine, tries, counted, locked):
    """Of failures at the same moment none is lost, and exactly one of them locks."""
    with ThreadPoolExecutor(15) as pool:
        causes = list(pool.map(lambda _: gate(wrong(token)), range(tries)))
    assert (causes.count(SignInCause.MISMATCH), causes.count(SignInCause.LOCKED_OUT)) == (counted, tries - counted)
    assert failures(engine)[0][1] == counted
    assert (events(engine).count("sign_in_failed"), events(engine).count("sign_in_locked")) == (tries, locked)


def test_success_does_not_open_what_was_locked_meanwhile(gate, token, engine):
    """A right token that was judged before the tenth failure leaves the lock."""
    for _ in range(10):
        gate(wrong(token))
    sign_in.clear_failures(engine, f"{token.credential_id} {HERE}", NOW)
    assert gate(token) == SignInCause.LOCKED_OUT


def test_expiry_is_exact(gate, token):
    """A token counts until its last second."""
    assert gate(token, NOW + 24 * 3600 - 1) is None
    assert gate(token, NOW + 24 * 3600) == SignInCause.EXPIRED
