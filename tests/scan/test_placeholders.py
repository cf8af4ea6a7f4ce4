"""What documentation and code write in the place of a secret is none; the secret itself is found there as anywhere."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from random import Random

import pytest

from payproof.detectors import iban
from payproof.domain.detector import GUESSABLE, MADE_UP, PUBLISHED_TEST, Hit
from payproof.domain.finding import Confidence
from payproof.registry import detectors_at_rest
from payproof.scan.luhn import check_digit
from payproof.scan.scanner import Scanner

SCANNER = Scanner(detectors_at_rest(), Confidence.LOW)
REAL = "tr0ub4" + "dor-Qx9"
KEY = "".join(Random(3).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=256))
HEAD = "-----BEGIN " + "PRIVATE KEY-----"
NUMBER = "400005" + "123456789" + check_digit("400005" + "123456789")
GROUPS = " ".join(NUMBER[at : at + 4] for at in range(0, 16, 4))


def told(text, kind):
    """Return what is told of a kind in a text, with its confidence."""
    hits = SCANNER.scan(text if isinstance(text, bytes) else text.encode())
    return [(one.what, one.confidence) for one in hits if isinstance(one, Hit) and one.kind == kind]


@pytest.mark.parametrize(
    "password",
    [
        *("password", "PASSWD", "pass", "secret", "token", "passphrase", "my-secret-password", "db_password"),
        *("your-password-here", "[password]", "{password}", "{{ password }}".replace(" ", ""), "${DB_PASSWORD}"),
        *("${DB_PASSWORD:-none}", "$DB_PASSWORD", "%s", "%(password)s", "%DB_PASSWORD%", ":password", "%3Cpassword%3E"),
        *("***", "xxxxx", "xxx", "...", "…", "<redacted>".strip("<>"), "changeme", "change-me", "a%20secret", "tiger"),
    ],
)
def test_a_placeholder_is_no_password(password):
    """What hides a password, is filled in for it, or says what to write there, is none, whatever the host."""
    for address in ("postgresql://app:{}@db.prod.internal:5432/shop", "redis://:{}@cache/0", "see https://app:{}@h/x."):
        assert told(address.replace("{}", password, 1), "dsn_password") == []


@pytest.mark.parametrize(
    "host",
    [
        *("example.com", "www.example.org", "db.example.net:5432", "shop.example", "db.invalid", "EXAMPLE.COM."),
        *("host", "hostname", "your-host", "192.0.2.7:6379", "198.51.100.1", "203.0.113.9", "[2001:db8::1]:5432"),
    ],
)
def test_a_password_of_a_host_of_documentation_is_none(host):
    """Hosts that stand for any other (RFC 2606, 5737, 3849) let nobody in; those that begin like one may."""
    assert told(f"https://app:{REAL}@{host}/x", "dsn_password") == []
    for real in (
        "example.com.shop.io",
        "myexample.com",
        "example-db",
        "192.0.20.7",
        "hosting.internal",
        "[2001:db9::1]",
    ):
        assert [sure for _, sure in told(f"https://app:{REAL}@{real}/x", "dsn_password")] == [Confidence.HIGH], real


@pytest.mark.parametrize(
    ("user", "password"),
    [
        *(("postgres", "postgres"), ("Guest", "guest"), ("a", "b"), ("abc", "xyz"), ("app", "123456"), ("u", "p%40ss")),
        *(("jane", "P%40SSWORD"), ("app", "admin"), ("", "testing"), ("app", "hunter"), ("app", "aaaaaaaaaa")),
    ],
)
def test_what_anybody_would_guess_is_told_as_such(user, password):
    """A password that is the user's name, a word, a count or short is found, and told apart from a secret."""
    ((what, sure),) = told(f"amqp://{user}:{password}@queue.internal/", "dsn_password")
    assert (what, sure) == (f"{GUESSABLE} password in a amqp address", Confidence.HIGH)


@pytest.mark.parametrize(
    "password",
    [
        REAL,
        "hunter2",
        "Pa$$w0rd{x9",
        "S3cr%40t9",
        "100%25-sure-Thing",
        "a(b)c*d7-Zz",
        "Pa{x}9wQ-7",
        "k{9}$(2)%Zq",
        "$ecure_Q8pz",
        "correcthorsebattery",
    ],
)
def test_a_password_with_signs_is_one(password):
    """Brackets, dollars and percent signs do not make a password a placeholder."""
    for address in (f"postgresql://app:{password}@db.internal/shop", f'{{"url": "redis://:{password}@cache:6379/0"}}'):
        ((what, sure),) = told(address, "dsn_password")
        assert GUESSABLE not in what
        assert sure is Confidence.HIGH


@pytest.mark.parametrize(
    "text",
    [
        r"/^(?:(?![^:@\/?#]+:[^:@\/]*@)(http|https|ws|wss):\/\/)?((?:(([^:@\/?#]*)(?::([^:@\/?#]*))?)?@)?/",
        r'"pattern": "^[a-zA-Z0-9=:#@/\\-,.][a-zA-Z0-9+=:#@/\\-,.\\s]+$"',
        'select="//iso:pattern[@id= $is-a]"',
        "xmlns://xsl:stylesheet[@xml:id = $id]",
        b"z\x03://\xfa\x01:\xfa\x01@r+\x00\x00\x00\xfa\x05valkey://\xfa\x01:z\x05@cache",
        b"0:=?@BDDFHHKKKMJHIJ//00028::@EEIO  31//.02350:;@CD",
        '("//abc:80#@frag", "path", "@frag")',
    ],
)
def test_patterns_and_bytes_are_no_addresses(text):
    """Regular expressions, XPath and programs have slashes, colons and signs in the order of an address."""
    assert told(text, "dsn_password") == []


def token(claims, key, name="sha256", algorithm="HS256"):
    """Return a signed token."""
    parts = [json.dumps(part).encode() for part in ({"alg": algorithm}, claims)]
    signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    return (signed + b"." + urlsafe_b64encode(hmac.digest(key, signed, name)).rstrip(b"=")).decode()


@pytest.mark.parametrize(("algorithm", "name"), [("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")])
def test_a_token_that_anybody_can_sign_is_told_as_such(algorithm, name):
    """The key of an example is known to all; a token that is signed with another one is told as a token."""
    assert name in hashlib.algorithms_guaranteed
    for key, what in ((b"secret", f"JSON Web Token signed with a {GUESSABLE} key"), (KEY.encode(), "JSON Web Token")):
        found = told(f"Bearer {token({'sub': '1'}, key, name, algorithm)}", "jwt")
        assert found == [(what, Confidence.HIGH)]


@pytest.mark.parametrize(
    "body",
    [
        f"{KEY[:60]}...{KEY[:9]}",
        f"{KEY[:60]}\n[...]",
        f"{KEY[:60]}EXAMPLE{KEY[60:]}",
        f"{KEY[:60]}…",
        "A" * 64,
        "yourkey" * 9,
    ],
)
def test_a_key_that_was_spoilt_is_none(body):
    """A key of which a part was left out, or that was made an example, opens nothing; one that is whole does."""
    assert told(f"{HEAD}\n{body}\n", "private_key") == []
    assert len(told(f"{HEAD}\n{KEY[:64]}\n{KEY[64:128]}\n", "private_key")) == 1


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f'{{"grant_type": "client_credentials", "client_secret": "{KEY[:40]}"}}', "OAuth client secret"),
        (f"client_id=abc&client_secret={KEY[:40]}", "OAuth client secret"),
        (f'{{"client_secret": "{KEY[:40]}"}}', "client secret"),
        (f'{{"client_secret": "pi_{KEY[:24]}_secret_{KEY[:24]}"}}', "client secret of a payment"),
    ],
)
def test_a_client_secret_is_called_what_it_is(text, what):
    """Only the form of Stripe's tells that it is of a payment: OAuth has a field of the same name."""
    assert told(text, "client_secret") == [(what, Confidence.HIGH)]


@pytest.mark.parametrize(
    "text",
    [
        "&client_secret=\0AZURE_AUTHORITY_HOST\0&scope=\0",
        "client_secret=${OAUTH_CLIENT_SECRET_2}",
        "client_secret:e.concat(this.clientSecret7)",
        "client_secret={{ oauth.client_secret_2 }}",
    ],
)
def test_an_expression_is_no_client_secret(text):
    """Programs name what holds a client secret, and templates what is filled in."""
    assert told(text, "client_secret") == []


@pytest.mark.parametrize(
    "text",
    [
        "NO_STATUS_RCVD = 1005",
        "INVALID_CVC = 1005",
        "ERR_CARD_CVV: 2010,",
        '{"incorrect_cvc": 1023}',
        "enum Field {\n  PAN = 100,\n  CVC = 101,\n  EXPIRY = 102,\n}",
        '{\n "csb": 1623,\n "csc": 1624,\n "csd": 1625\n}',
    ],
)
def test_constants_are_no_security_codes(text):
    """A number that counts on from line to line, or that an error has, is a program's."""
    assert told(text, "cvc") == []


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("CVV2=123", Confidence.HIGH),
        ("CARD_CVC=123\nCARD_ZIP=94107\n", Confidence.HIGH),
        ("exp: 1229\ncvc: 123\nzip: 94107\n", Confidence.HIGH),
        ("port: 122\ncvc: 123\nexp: 1229\n", Confidence.HIGH),
        ("declined card: cvc=123", Confidence.HIGH),
        ("failed_payment_cvc=123", Confidence.HIGH),
        ('{"card": "tok_1", "verification_value": "123"}', Confidence.HIGH),
        ('{"card_verification_value": "123"}', Confidence.HIGH),
        ("verification code: 1234", Confidence.MEDIUM),
        ('{"PinData": {"VerificationValue": "5507"}}', Confidence.MEDIUM),
    ],
)
def test_security_codes_are_told(text, sure):
    """A code is found beside other fields, in any case; what is sent by SMS has the same name, and is less sure."""
    assert told(text, "cvc") == [("card verification code", sure)]


def test_the_code_and_the_track_of_a_published_number_are_told_as_such():
    """What stands beside a number that is published for tests is nobody's either; beside another number it is."""
    for number, words in (("4242 4242 4242 4242", f" of a {PUBLISHED_TEST} card"), (GROUPS, "")):
        text = f"card = {{'number': '{number}', 'exp_month': 8, 'exp_year': 2031, 'cvc': '314'}}"
        assert told(text, "cvc") == [(f"card verification code{words}", Confidence.HIGH)]
        digits, published = number.replace(" ", ""), f" {PUBLISHED_TEST}" if words else ""
        assert told(f";{digits}=29121010000000000?", "track_data")[0][0] == f"track 2 of a Visa{published} card"
    both = f"'4242424242424242' then {{'number': '{NUMBER}', 'cvc': '314'}}"
    assert told(both, "cvc") == [("card verification code", Confidence.HIGH)]


@pytest.mark.parametrize("text", ['{"awsAccountNumber": "123456780012"}', "--primary-account-number=171234567890123"])
def test_an_account_that_is_none_with_a_bank_is_none(text):
    """An account with a cloud, and the name that standards give a card's number, are no bank accounts."""
    assert told(text, "us_bank_account") == []
    assert told('{"bankAccountNumber": "12345678012"}', "us_bank_account")


def test_numbers_that_stripe_publishes_for_tests_are_told_as_such():
    """The range that stands for countries and declines is Stripe's, and so are its routing and account number."""
    for number in ("4000000320000021", "4000000000000077", "4000002760003184"):
        ((what, _),) = told(f'{{"card_number": "{number}"}}', "pan")
        assert PUBLISHED_TEST in what
    accounts = told('{"routing_number": "110000000", "account_number": "000123456789"}', "us_bank_account")
    assert all(PUBLISHED_TEST in what for what, _ in accounts)
    assert len(accounts) == 2
    assert [PUBLISHED_TEST in what for what, _ in told(f'{{"card_number": "{NUMBER}"}}', "pan")] == [False]


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        (f"rng = np.random.default_rng({NUMBER})", Confidence.LOW),
        (f"seed = {NUMBER}", Confidence.LOW),
        (f"anon.35f1c86a.15.llvm.{NUMBER}", Confidence.LOW),
        (f"[-.{NUMBER}, 1.25]", Confidence.LOW),
        (f"mpf((0, {NUMBER}, -55, 50))*(-1 + mpmath.exp(", Confidence.MEDIUM),
        (f"arn:aws:lambda:eu-west-1:{NUMBER}:function:ACS-AdjustmentVideoTracking", Confidence.MEDIUM),
        (f"insert ( 2278 void 11 4 t ',' 0 {GROUPS} - - - )", Confidence.MEDIUM),
        (f"exp(12/29) {NUMBER}", Confidence.HIGH),
        (f"the card {NUMBER} in ACS-AdjustmentVideoTracking", Confidence.HIGH),
        (f"paid with {GROUPS} on Monday", Confidence.HIGH),
    ],
)
def test_numbers_of_programs_are_less_sure(text, sure):
    """Seeds, symbols, fractions and tables of numbers are no cards; words are read whole."""
    assert [one for _, one in told(text, "pan")] == [sure]


def test_numbers_of_zeros_are_told_as_made_up():
    """A number that is hardly anything but zeros is found, and told apart from somebody's."""
    for number in ("6450000000000002", "6362000000000009", "9792000000000003", "4007000000027"):
        ((what, sure),) = told(f'{{"card_number": "{number}"}}', "pan")
        assert f" {MADE_UP} card number" in what
        assert sure is Confidence.HIGH
    assert told('{"iban": "TR610000100000000000000001"}', "iban")[0][0].startswith(MADE_UP)
    for check in ("DE000000000000" + "00000066", "DE010000000000" + "00000048", "DE990000000000" + "00000030"):
        assert told(f"iban {check}", "iban") == []


def test_examples_of_bank_accounts_are_told_as_such():
    """What the registry of IBANs and Stripe publish is nobody's; another account of the same bank is somebody's."""
    assert told('{"iban": "DE89 3704 0044 0532 0130 00"}', "iban")[0][0].startswith(PUBLISHED_TEST)
    bank = "37040044" + "0532013001"
    number = f"DE{98 - int(bank + '131400') % 97:02d}{bank}"
    assert told(f'{{"iban": "{number}"}}', "iban") == [("bank account number (IBAN)", Confidence.HIGH)]
    for example in iban._EXAMPLES:
        assert [what.startswith(PUBLISHED_TEST) for what, _ in told(f"iban {example} ", "iban")] == [True], example
