"""How an operator of the reference service gives access: a tenant, and credentials of some roles."""

__all__ = ["ACCESS"]

#: Runs the operator's commands one after the other, as most of each one's time goes into its start; prints the tokens.
ACCESS = """
import contextlib, io, runpy, sys

roles = sys.argv[1:]

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

tenant = told("create-tenant")
for role in roles:
    print(told("create-credential", "--tenant", tenant, "--role", role, "--days", "1"))
"""
