"""How an operator of the reference service gives access: two tenants, and credentials of some roles."""

from collections.abc import Mapping, Sequence

from payproof.domain.access import AccessContract, Lockout
from payproof.domain.operation import Principal
from payproof.domain.sensitive import Secret

__all__ = ["ACCESS", "PROMISED", "REFUSED", "describe_principals", "roles"]

#: How it refuses.
REFUSED = AccessContract(unknown=frozenset({401}), forbidden=frozenset({403}), foreign=frozenset({404}))
#: What it promises of who guesses: the address that has guessed is locked out, and no other.
PROMISED = Lockout("forgetful", "GET", "/v1/customers", attempts=10, seconds=1800, elsewhere="works")

#: Principals by name: role, tenant, what they may do, and whether the credential is revoked.
_OWNER = {"owner": ("owner", "a", ("*",), False)}
_OPERATING = {
    "manager": ("billing_admin", "a", ("*",), False),
    "viewer": ("viewer", "a", (), False),
    "auditor": ("auditor", "a", (), False),
    "neighbour": ("billing_admin", "b", ("*",), False),
    "leaver": ("billing_admin", "a", None, True),
    "forgetful": ("viewer", "a", (), False),
}


def roles(*, operations: bool, owner: bool) -> Mapping[str, tuple[str, str, tuple[str, ...] | None, bool]]:
    """Return who is to get access: for ``operations`` those who may and may not perform them, and an ``owner``."""
    return {**(_OWNER if owner else {}), **(_OPERATING if operations else {})}


def describe_principals(names: Sequence[str], tokens: Sequence[str]) -> Mapping[str, Principal]:
    """Return principals with the tokens that the operator's commands have printed, in the same order."""
    known = {**_OWNER, **_OPERATING}
    return {
        name: Principal(
            name,
            Secret(f"credential of {name}", token),
            tenant=known[name][1],
            may=known[name][2],
            expired=known[name][3],
        )
        for name, token in zip(names, tokens, strict=True)
    }


#: Runs the operator's commands one after the other, as most of each one's time goes into its start. An argument is a
#: role, a tenant, and whether the credential is revoked: "viewer a", "owner a revoked". Prints for each the token, and
#: the id of the tenant.
ACCESS = """
import contextlib, io, runpy, sys

wanted = [one.split() for one in sys.argv[1:]]

def told(*command):
    sys.argv = ["payproof_reference", *command]
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            runpy.run_module("payproof_reference", run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
    return output.getvalue().strip()

tenants = {name: told("create-tenant") for name in sorted({one[1] for one in wanted})}
for role, tenant, *revoked in wanted:
    token = told("create-credential", "--tenant", tenants[tenant], "--role", role, "--days", "1")
    if revoked:
        told("revoke-credential", "cred_" + token.split("_")[1])
    print(token, tenants[tenant])
"""
