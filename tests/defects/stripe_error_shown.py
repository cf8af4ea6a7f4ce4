"""The whole of Stripe's error is passed on in a header, meant for debugging."""

from payproof_reference.middleware import errors
from payproof_reference.services.stripe import sdk


def plant() -> None:
    said = []
    reduced, right = sdk.reduce_answer, errors.build_answer

    def keeping(status, headers, body):
        if status >= 400:
            said[:] = [" ".join(body.decode(errors="replace").split())]
        return reduced(status, headers, body)

    def telling(status, detail, headers=None):
        return right(status, detail, {**(headers or {}), "X-Debug": said[0] if said else ""})

    sdk.reduce_answer, errors.build_answer = keeping, telling
