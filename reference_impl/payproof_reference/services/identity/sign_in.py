"""Sign-in with a token, and the lockout of those who guess (PCI DSS 8.3.1, 8.3.4).

A party is a credential together with the address that asks for it, so that an attacker elsewhere cannot lock out who
owns it. All ids that do not exist are one party of an address, so that made-up ones do not fill the table.

Requests that are judged at the same moment see the same count, so some more than ten may be judged; every one of them
is counted. Guessing is hopeless either way: the lockout is there so that somebody who tries is noticed and slowed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import SecretStr
from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, case, null, or_, select
from sqlalchemy.sql.dml import ReturningInsert

from payproof_reference.database.engine import insert
from payproof_reference.database.tables import credentials, sign_in_failures
from payproof_reference.services.audit.log import Action, AuditLog, Record, Result
from payproof_reference.services.identity.credentials import Token, is_genuine, parse_token
from payproof_reference.services.identity.roles import Principal, Role

__all__ = ["SignInCause", "SignInFailure", "enter_failure", "sign_in"]

MOST_FAILURES = 10
# For so long each failure counts together with the one before it, and for so long a party is locked out.
HALF_HOUR = 30 * 60
UNKNOWN = "unknown"
BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
LOOK_UP = (
    select(credentials, sign_in_failures.c.failures, sign_in_failures.c.locked_until)
    .outerjoin(sign_in_failures, sign_in_failures.c.party == bindparam("party"))
    .where(credentials.c.credential_id == bindparam("named"))
)


class SignInCause(StrEnum):
    """Why nobody was signed in: for the logs, never for the answer."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    MISMATCH = "mismatch"
    EXPIRED = "expired"
    REVOKED = "revoked"
    LOCKED_OUT = "locked_out"


@dataclass(frozen=True, slots=True)
class SignInFailure:
    """A failed sign-in: its cause, and the credential that the request named, if that exists."""

    cause: SignInCause
    credential_id: str | None = None
    tenant_id: str | None = None


def sign_in(
    engine: Engine, key: SecretStr, authorization: Sequence[str], origin: str, now: int
) -> Principal | SignInFailure:
    """Judge what a request sends to prove who it is.

    Args:
        engine: the database.
        key: what the secrets are kept under.
        authorization: the value of every `Authorization` header.
        origin: the address of the sender.
        now: seconds since the epoch.

    Raises:
        SQLAlchemyError: nobody can tell who it is.
    """
    token = read_token(authorization)
    if token is None:
        return SignInFailure(SignInCause.MALFORMED if authorization else SignInCause.MISSING)
    party = party_of(token.credential_id, origin)
    with engine.connect().execution_options(read_only=True) as connection:
        found = connection.execute(LOOK_UP, {"party": party, "named": token.credential_id}).first()
    genuine = is_genuine(key, token, found)
    if found is None:
        return SignInFailure(SignInCause.UNKNOWN)
    if found.locked_until is not None and found.locked_until > now:
        cause = SignInCause.LOCKED_OUT
    elif not genuine:
        cause = SignInCause.MISMATCH
    elif found.revoked_at is not None:
        cause = SignInCause.REVOKED
    elif found.expires_at <= now:
        cause = SignInCause.EXPIRED
    else:
        if found.failures is not None:
            clear_failures(engine, party, now)
        return Principal(found.credential_id, found.tenant_id, Role(found.role))
    return SignInFailure(cause, found.credential_id, found.tenant_id)


def read_token(authorization: Sequence[str]) -> Token | None:
    """Read the token of exactly one header (RFC 6750, 2.1), or return None."""
    found = BEARER.fullmatch(authorization[0]) if len(authorization) == 1 else None
    return parse_token(found[1]) if found else None


def party_of(credential_id: str | None, origin: str) -> str:
    """Name who fails together."""
    return f"{credential_id or UNKNOWN} {origin}"


def clear_failures(engine: Engine, party: str, now: int) -> None:
    """Clear the count of a party, unless it was locked out meanwhile."""
    with engine.begin() as connection:
        ours = sign_in_failures.c.party == party
        connection.execute(sign_in_failures.delete().where(ours, is_open(now)))


def enter_failure(engine: Engine, audit: AuditLog, failure: SignInFailure, origin: str, now: int) -> list[Record]:
    """Count a failed sign-in and enter it in the audit log, both or neither; return the records.

    Raises:
        SQLAlchemyError: neither was done.
        AuditBrokenError: likewise.
    """
    with engine.begin() as connection:
        counted = connection.execute(build_count(connection, party_of(failure.credential_id, origin), now)).first()
        cause = failure.cause if counted else SignInCause.LOCKED_OUT
        records = [build_record(Action.SIGN_IN_FAILED, cause, failure, origin)]
        if counted and counted.locked_until is not None:
            records.append(build_record(Action.SIGN_IN_LOCKED, cause, failure, origin))
        audit.append(connection, *records)
    return records


def build_count(connection: Connection, party: str, now: int) -> ReturningInsert[Any]:
    """Build the statement that counts one failure, locks with the tenth, and does nothing while locked.

    One statement, so that of many failures at once none is lost.
    """
    row = sign_in_failures.c
    again = and_(row.last_failed_at > now - HALF_HOUR, row.locked_until.is_(None))
    statement = insert(connection, sign_in_failures).values(party=party, failures=1, last_failed_at=now)
    changed = statement.on_conflict_do_update(
        index_elements=[row.party],
        set_={
            "failures": case((again, row.failures + 1), else_=1),
            "last_failed_at": now,
            "locked_until": case((and_(again, row.failures + 1 >= MOST_FAILURES), now + HALF_HOUR), else_=null()),
        },
        where=is_open(now),
    )
    return changed.returning(row.locked_until)


def is_open(now: int) -> ColumnElement[bool]:
    """Build the condition under which a party is not locked out."""
    return or_(sign_in_failures.c.locked_until.is_(None), sign_in_failures.c.locked_until <= now)


def build_record(event: Action, cause: SignInCause, failure: SignInFailure, origin: str) -> Record:
    """Build the audit record of a failure; an id is named only when there is such a credential."""
    return Record(
        event=event,
        actor="anonymous",
        result=Result.REFUSED,
        origin=origin,
        reason=cause,
        object_id=failure.credential_id,
        tenant_id=failure.tenant_id,
    )
