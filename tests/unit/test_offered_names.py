"""Names under which a request may offer a secret are learnt from what the target shows."""

from payproof.domain.observation import Answer
from payproof.stripe.offered_names import KNOWN, Names, learn_from_answers, learn_from_openapi

DOCUMENT = {
    "components": {
        "securitySchemes": {"hook": {"type": "apiKey", "in": "header", "name": "X-Shop-Signing-Key"}},
        "parameters": {"t": {"in": "query", "name": "hook_token"}, "p": {"in": "query", "name": "page"}},
    },
    "paths": {
        "/hook": {
            "post": {
                "parameters": [
                    {"in": "header", "name": "Stripe-Signature"},
                    {"in": "cookie", "name": "session_token"},
                    {"in": "path", "name": "secret"},
                    {"in": "header", "name": "X-Odd Secret\r\n"},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"properties": {"hmac_secret": {}}}}}},
            }
        }
    },
}


def test_documents():
    """Parameters, API keys and properties of bodies that sound like a secret's, each in its place."""
    assert learn_from_openapi(DOCUMENT) == Names(
        headers=("X-Shop-Signing-Key",), query=("hook_token",), cookies=("session_token",), body=("hmac_secret",)
    )
    assert learn_from_openapi({}) == Names()


def test_a_document_that_contains_itself_is_read():
    """YAML's anchors may make a value contain itself."""
    document = {"paths": {}}
    document["paths"]["again"] = document
    assert learn_from_openapi(document) == Names()


def test_answers():
    """Headers, headers that pages may send, and names in the text of a refusal."""
    answer = Answer(
        401,
        (
            ("access-control-allow-headers", "Content-Type, X-Console-Secret,Authorization"),
            ("x-hook-token", "1"),
            ("content-type", "text/plain"),
        ),
        "missing header X-Tools-Secret, or shop_secret in the query; your secret is safe with us",
        0,
        0.1,
    )
    learnt = learn_from_answers([answer])
    assert set(learnt.headers) == {"X-Console-Secret", "x-hook-token", "X-Tools-Secret", "shop_secret"}
    assert learnt.query == ("shop_secret",)


def test_names_are_united():
    """Each name is offered once, whatever its case, and no more than servers take."""
    both = KNOWN | Names(headers=("x-webhook-secret", *(f"X-Secret-{number}" for number in range(100))))
    lower = [name.lower() for name in both.headers]
    assert len(lower) == len(set(lower)) == 40
    assert set(KNOWN.headers) <= set(both.headers)
