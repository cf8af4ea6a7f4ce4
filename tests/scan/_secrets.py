"""Ways to leak a secret of Stripe; all values are made up when they are asked for."""

import base64
import json
from random import Random
from urllib.parse import quote

__all__ = ["leaks", "masked_secrets"]

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _body(random: Random, length: int) -> str:
    return "".join(random.choices(_ALPHABET, k=length))


def leaks(random: Random) -> dict[str, tuple[str, bytes]]:
    """Return by name the detector that must find it and the bytes that leak it."""
    secret = "sk_" + "live_" + "51" + _body(random, 97)
    short = "sk_" + "test_" + _body(random, 24)
    restricted = "rk_" + "live_" + "51" + _body(random, 105)
    hook = "whsec_" + _body(random, 32)
    hook64 = "whsec_" + base64.b64encode(random.randbytes(32)).decode()
    intent = f"pi_{_body(random, 24)}_secret_{_body(random, 25)}"
    setup = f"seti_{_body(random, 24)}_secret_{_body(random, 29)}"
    session = f"cs_test_{_body(random, 58)}_secret_{_body(random, 90)}"
    return {
        "secret key in an environment": ("stripe_secret", f"STRIPE_API_KEY={secret}\n".encode()),
        "test key in a setting": ("stripe_secret", json.dumps({"stripe": {"key": short}}).encode()),
        "restricted key": ("stripe_secret", f"restricted: '{restricted}';".encode()),
        "restricted test key": ("stripe_secret", ("rk_" + "test_" + _body(random, 60) + ")").encode()),
        "organisation key": ("stripe_secret", ("key " + "sk_" + "org_live_" + _body(random, 40) + ".").encode()),
        "ephemeral key": ("stripe_secret", ('{"secret":"' + "ek_" + "test_" + _body(random, 80) + '"}').encode()),
        "key at an &": ("stripe_secret", f"key={short}&amount=1".encode()),
        "key at a \\": ("stripe_secret", json.dumps({"env": f"A=1\nKEY={short}\nB=2"}).encode()),
        "key longer than 99": ("stripe_secret", ("sk_" + "live_" + _body(random, 200)).encode()),
        "key before <": ("stripe_secret", f"<key>{secret}</key>".encode()),
        "basic header": ("stripe_secret", b"Authorization: Basic " + base64.b64encode(f"{short}:".encode())),
        "basic header of a long key": (
            "stripe_secret",
            b"authorization: basic " + base64.b64encode(f"{secret}:".encode()),
        ),
        "webhook secret": ("stripe_secret", f"STRIPE_WEBHOOK_SECRET={hook}".encode()),
        "webhook secret of base64": ("stripe_secret", f'"secret": "{hook64}"'.encode()),
        "webhook secret in a log": ("stripe_secret", f"verifying with {hook}, tolerance 300".encode()),
        "webhook secret in a URL": ("stripe_secret", f"?secret={quote(hook64, safe='')}&x=1".encode()),
        "client secret of a payment": ("client_secret", json.dumps({"client_secret": intent}).encode()),
        "client secret in a return URL": (
            "client_secret",
            f"GET /done?setup_intent_client_secret={setup}&redirect_status=succeeded HTTP/1.1".encode(),
        ),
        "client secret of a session": ("client_secret", f"session {session} opened".encode()),
        "client secret of a source": (
            "client_secret",
            f"src_{_body(random, 24)}_client_secret_{_body(random, 24)}".encode(),
        ),
        "client secret of a bank session": ("client_secret", f"'fcsess_client_secret_{_body(random, 24)}'".encode()),
        "client secret of an account session": ("client_secret", f"accs_secret__{_body(random, 47)}".encode()),
        "client secret of a customer session": (
            "client_secret",
            f"opened with cuss_secret_{_body(random, 47)}".encode(),
        ),
        "client secret of a verification": (
            "client_secret",
            f"vs_{_body(random, 24)}_secret_test_{_body(random, 40)}".encode(),
        ),
        "client secret of a source, short": ("client_secret", f"src_client_secret_{_body(random, 24)}".encode()),
        "connection token": ("client_secret", json.dumps({"secret": f"pst_live_{_body(random, 23)}"}).encode()),
        "client secret of an invoice": (
            "client_secret",
            json.dumps({"confirmation_secret": {"client_secret": intent, "type": "payment_intent"}}).encode(),
        ),
        "client secret by its name": ("client_secret", json.dumps({"client_secret": _body(random, 40)}).encode()),
    }


def masked_secrets(random: Random) -> list[bytes]:
    """Return safe forms: masked, shortened, publishable, and ids."""
    body = _body(random, 24)
    return [
        ("sk_" + "live_" + "*" * 20 + body[-4:]).encode(),
        ("sk_" + "test_" + "..." + body[-4:]).encode(),
        ("sk_" + "live_" + "51" + body[:2] + "…" + body[-4:]).encode(),
        ("rk_" + "live_" + "x" * 24).encode(),
        ("whsec_" + "*" * 32).encode(),
        ("whsec_" + "…" + body[-4:]).encode(),
        ("pk_" + "live_" + body).encode(),
        f"pi_{body}_secret_[hidden]".encode(),
        f'{{"client_secret": "[client secret: 1]", "id": "pi_{body}"}}'.encode(),
        b"whsec_YOUR_WEBHOOK_SIGNING_SECRET_HERE",
        b"STRIPE_WEBHOOK_SECRET=whsec_replace_me_with_your_real_secret",
        ("whsec_" + "1234567890abcdef" * 2).encode(),
        ("whsec_" + "WRONGSECRET" * 2 + "WRONG000000").encode(),
        ("sk_" + "live_YOURSECRETKEYGOESHEREPLEASE").encode(),
        ("sk_" + "test_abcdefghijklmnopqrstuvwxyz").encode(),
        ("rk_" + "live_" + "REPLACEWITHYOURRESTRICTEDKEY").encode(),
        b'{"client_secret": "your-client-secret-here"}',
        b"pi_YOURPAYMENTINTENT_secret_YOURSECRETHERE",
        b"client_secret = settings.stripe_client_secret",
        b"postgresql://user:your-password@localhost/app",
        b"redis://[[username]:[password]]@localhost:6379/0",
        b"mysql://scott:tiger@localhost/app",
        f"cus_{body[:14]} sub_{body} evt_{body} in_{body} acct_{body[:16]} price_{body}".encode(),
    ]
