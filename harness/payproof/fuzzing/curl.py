import shlex

from payproof.domain.request import Request
from payproof.domain.urls import url_of

__all__ = ["curl_line"]


def curl_line(base: str, request: Request) -> str:
    """Return a shell command that sends a request again; what it holds of sensitive values is the caller's to conceal.

    Bytes that are no UTF-8 are shown as escapes; of a request that curl would not send, the bytes are shown.
    """
    if request.wire:
        return f"as bytes to {base}: {request.wire.decode('latin-1')!r}"
    parts = ["curl", "--path-as-is", "-X", request.method, url_of(base, request.target)]
    for name, value in request.headers:
        parts += ["-H", f"{name.decode('latin-1')}: {value.decode('latin-1')}"]
    if request.body:
        parts += ["--data-binary", request.body.decode("utf-8", "backslashreplace")]
    return shlex.join(parts)
