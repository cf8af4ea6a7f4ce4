"""Who may do what: roles, what each permits, and the principal on whose behalf a request acts (PCI DSS 7.2.1)."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Permission", "Principal", "Role"]


class Permission(StrEnum):
    """What a route asks for."""

    READ_BILLING = "read_billing"
    MANAGE_BILLING = "manage_billing"
    REFUND = "refund"
    READ_AUDIT = "read_audit"


class Role(StrEnum):
    """What a credential is for."""

    OWNER = "owner"
    VIEWER = "viewer"
    AUDITOR = "auditor"


PERMITTED = {
    Role.OWNER: frozenset(Permission),
    Role.VIEWER: frozenset({Permission.READ_BILLING}),
    Role.AUDITOR: frozenset({Permission.READ_AUDIT}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """A credential that was verified, its tenant and its role."""

    credential_id: str
    tenant_id: str
    role: Role

    @property
    def actor(self) -> str:
        """Who it is to the audit log."""
        return self.credential_id

    def may(self, permission: Permission) -> bool:
        """Tell whether the role permits something."""
        return permission in PERMITTED[self.role]
