"""A credential that was revoked lets in as before."""

from payproof_reference.middleware import access
from payproof_reference.services.identity import sign_in
from payproof_reference.services.identity.roles import Principal, Role
from payproof_reference.services.identity.sign_in import SignInCause


def plant() -> None:
    right, parse = sign_in.sign_in, sign_in.read_token

    def forgiving(engine, key, authorization, origin, now):
        judged = right(engine, key, authorization, origin, now)
        if getattr(judged, "cause", None) is SignInCause.REVOKED:
            assert parse(authorization) is not None
            return Principal(judged.credential_id, judged.tenant_id, Role.BILLING_ADMIN)
        return judged

    access.sign_in.sign_in = forgiving
