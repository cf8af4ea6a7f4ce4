"""Remedies for what a target asks Stripe."""

from collections.abc import Mapping

from payproof.domain.kind import Kind
from payproof.engine.remedies.lines import KEYS, RETRIES
from payproof.engine.remedies.remedy import Remedy

__all__ = ["CALLS"]

CALLS: Mapping[str, Remedy] = {
    Kind.CALL_MISSING: Remedy(
        "See in the log why the operation ended before its call, or where the call went: the SDK takes [upstream] url "
        "as the base of Stripe's API."
    ),
    Kind.CALLS_TOO_MANY: Remedy(
        "After some failures in a row leave Stripe alone for seconds, and answer 503 without a call (a circuit "
        "breaker). Repeat a call twice at most.",
        sdks=RETRIES,
    ),
    Kind.RETRY_MISSING: Remedy(
        "Repeat a call that got no answer, or 409, 429 or 5xx, with growing waits and the same Idempotency-Key.",
        sdks=RETRIES,
    ),
    Kind.RETRY_TOO_SOON: Remedy(
        "Wait before a call is repeated: half a second, doubled each time, by a random part longer. The SDK's own "
        "repetition does so.",
        sdks=RETRIES,
    ),
    Kind.RETRY_OF_DECLINE: Remedy(
        "Repeat only what got no answer, or 409, 429 or 5xx. A decline (402) and other 4xx are final: the same call "
        "gets the same answer."
    ),
    Kind.KEY_MISSING: Remedy(
        "Make one Idempotency-Key for each operation, keep it before the first call, and send it with every "
        "repetition, also of a job or after a restart.",
        sdks=KEYS,
    ),
    Kind.DONE_TWICE: Remedy(
        "Derive the Idempotency-Key from what is asked for, such as the order's id, and take a second request for it "
        "as the first one.",
        sdks=KEYS,
    ),
    Kind.PROMISE_BROKEN: Remedy(
        "Keep what is promised in a row before the answer, and let a job call Stripe, with one Idempotency-Key, until "
        "it is done."
    ),
    Kind.CALL_ELSEWHERE: Remedy(
        "Fetch what an event names by the SDK, from its id or the path of its related_object.url; never call the whole "
        "URL that an event holds."
    ),
    Kind.REDIRECT_FOLLOWED: Remedy(
        "Follow no redirect on calls to Stripe: its API sends none, and whoever does gets the call and its key.",
        sdks={
            "dotnet": "new HttpClientHandler { AllowAutoRedirect = false }, in a SystemNetHttpClient.",
            "go": "CheckRedirect returns http.ErrUseLastResponse, in BackendConfig.HTTPClient.",
            "java": "HttpURLConnection.setFollowRedirects(false).",
            "python": "session.max_redirects = 0, in stripe.RequestsClient(session=session).",
        },
    ),
    Kind.CONNECTION_UNSAFE: Remedy(
        "Verify certificate and host name on calls to Stripe, by TLS 1.2 or later, and remove what turns that off.",
        sdks={
            "dotnet": "no ServerCertificateCustomValidationCallback.",
            "go": "no InsecureSkipVerify in tls.Config.",
            "java": "no TrustManager or HostnameVerifier that takes everything.",
            "node": "no NODE_TLS_REJECT_UNAUTHORIZED=0, no rejectUnauthorized: false.",
            "php": "no \\Stripe\\Stripe::setVerifySslCerts(false), no CURLOPT_SSL_VERIFYPEER.",
            "python": "no stripe.verify_ssl_certs = False, no verify=False.",
            "ruby": "no Stripe.verify_ssl_certs = false.",
        },
    ),
    Kind.CONNECTION_UNTRIED: Remedy(
        "See in the log why the operation ended before it connected, or where it connected to: the SDK takes "
        "[upstream] url as the base of Stripe's API."
    ),
}
