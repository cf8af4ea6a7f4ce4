"""How an operator of the reference service gives access: tenants, and credentials of some roles."""

__all__ = ["ACCESS"]

#: Runs the operator's commands one after the other, as most of each one's time goes into its start. A role may
#: have its tenant's name after an @. Prints for each role the token, and the id of the tenant.
ACCESS = """
import contextlib, io, runpy, sys

roles = sys.argv[1:]
tenants = {}

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

for role in roles:
    role, _, at = role.partition("@")
    tenant = tenants[at] = tenants.get(at) or told("create-tenant")
    print(told("create-credential", "--tenant", tenant, "--role", role, "--days", "1"), tenant)
"""
