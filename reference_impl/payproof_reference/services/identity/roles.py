"""Roles, their permissions, and the principal who acts (PCI DSS 7.2.1, 7.2.2, 7.3.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

__all__ = ["Permission", "Principal", "Role", "actor_of"]


class Role(StrEnum):
    """The role that a credential has at its tenant: the column `role`."""

    OWNER = "owner"
    BILLING_ADMIN = "billing_admin"
    VIEWER = "viewer"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """The permission that a route needs."""

    READ_BILLING = "read_billing"
    MANAGE_BILLING = "manage_billing"
    REFUND = "refund"
    READ_AUDIT = "read_audit"


# All of it; what does not stand here is refused. An auditor reads what was done and can do nothing, refunds included.
PERMITTED: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.OWNER: frozenset(
            {Permission.READ_BILLING, Permission.MANAGE_BILLING, Permission.REFUND, Permission.READ_AUDIT}
        ),
        Role.BILLING_ADMIN: frozenset({Permission.READ_BILLING, Permission.MANAGE_BILLING, Permission.REFUND}),
        Role.VIEWER: frozenset({Permission.READ_BILLING}),
        Role.AUDITOR: frozenset({Permission.READ_AUDIT}),
    }
)


def actor_of(credential_id: str) -> str:
    """Give the name of a credential in the audit log."""
    return f"credential:{credential_id}"


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a request acts: a credential, the tenant that it belongs to, and its role there."""

    credential_id: str
    tenant_id: str
    role: Role

    @property
    def actor(self) -> str:
        """The name in the audit log."""
        return actor_of(self.credential_id)

    def may(self, permission: Permission) -> bool:
        """Tell whether the role has a permission."""
        return permission in PERMITTED.get(self.role, frozenset())
