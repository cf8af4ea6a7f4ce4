"""Credentials: bearer tokens, of which the database keeps a keyed digest and nobody the secret.

The digest is HMAC-SHA256 and no argon2: the secret is 256 random bits, which nobody can guess however fast each guess
is, and a slow hash would only be a way for strangers to exhaust the service. It is keyed, as PCI DSS 3.5.1.1 asks of
what must not be recovered, with a key that is not in the database: a stolen table lets nobody in. It also covers tenant
and role, so that whoever can write the table, and has not the key, cannot turn a viewer into an owner.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, Row, select

from payproof_reference.database.tables import credentials
from payproof_reference.services.identity.roles import Role
from payproof_reference.text.digests import compute_digest
from payproof_reference.text.references import new_reference

__all__ = ["Token", "is_genuine", "issue_token", "list_credentials", "parse_token", "revoke_credential"]

ID_PREFIX = "cred_"
SHAPE = re.compile(r"bil_([a-z]{20})_([A-Za-z0-9_-]{43})")
SECRET_BYTES = 32
DAY = 24 * 3600
# Compared where there is no credential, so that an unknown id costs what a known one does.
NO_DIGEST = "-" * 43


@dataclass(frozen=True, slots=True)
class Token:
    """The bearer token of a caller: the id of a credential, and the secret that nothing else holds."""

    credential_id: str
    secret: str = field(repr=False)

    def reveal(self) -> str:
        """Return the text, for the one time that it is shown; logs redact it (PCI DSS 8.3.2)."""
        return f"bil_{self.credential_id.removeprefix(ID_PREFIX)}_{self.secret}"


def parse_token(text: str) -> Token | None:
    """Read a token, or return None when it is none."""
    found = SHAPE.fullmatch(text)
    return Token(ID_PREFIX + found[1], found[2]) if found else None


def is_genuine(key: SecretStr, token: Token, credential: Row[Any] | None) -> bool:
    """Tell whether a token is that of a credential, in the same time when there is none."""
    tenant_id, role = (credential.tenant_id, credential.role) if credential else ("", "")
    kept = credential.secret_digest if credential else NO_DIGEST
    return hmac.compare_digest(digest_of(key, token, tenant_id, role).encode(), kept.encode())


def digest_of(key: SecretStr, token: Token, tenant_id: str, role: str) -> str:
    """Compute what the database keeps of a token."""
    content = [token.credential_id, tenant_id, role, token.secret]
    return compute_digest(key.get_secret_value().encode(), "credential", content)


def issue_token(connection: Connection, key: SecretStr, tenant_id: str, role: Role, now: int, days: int) -> Token:
    """Create a credential of a tenant, valid for some days from `now` (seconds since the epoch).

    Letters only make up the id: no run of digits that a scan would take for a card number.
    """
    token = Token(ID_PREFIX + new_reference(), secrets.token_urlsafe(SECRET_BYTES))
    connection.execute(
        credentials.insert().values(
            credential_id=token.credential_id,
            tenant_id=tenant_id,
            role=role,
            secret_digest=digest_of(key, token, tenant_id, role),
            created_at=now,
            expires_at=now + days * DAY,
        )
    )
    return token


def revoke_credential(connection: Connection, credential_id: str, now: int) -> Row[Any] | None:
    """Refuse a credential from now on; return it, or None when there is none that was not revoked before."""
    statement = credentials.update().where(credentials.c.credential_id == credential_id)
    statement = statement.where(credentials.c.revoked_at.is_(None)).values(revoked_at=now)
    return connection.execute(statement.returning(credentials.c.credential_id, credentials.c.tenant_id)).first()


def list_credentials(connection: Connection, tenant_id: str | None) -> Sequence[Row[Any]]:
    """Read all credentials, or those of one tenant, oldest first and without their digests."""
    columns = (column for column in credentials.c if column is not credentials.c.secret_digest)
    statement = select(*columns).order_by(credentials.c.created_at, credentials.c.credential_id)
    if tenant_id is not None:
        statement = statement.where(credentials.c.tenant_id == tenant_id)
    return connection.execute(statement).all()
