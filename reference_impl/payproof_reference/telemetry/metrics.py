"""The metrics of the service: names, results and times; no id, no address and nothing of a request.

One registry for the process, without the library's collectors of the process and the interpreter. Every label has a
fixed list of values, so that nobody outside can make more series. Whoever counts something does it in one line, and
pays one lock for it; what takes a query is measured in the background (monitoring.py).
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, disable_created_metrics

__all__ = [
    "ANSWERS",
    "AUDIT_APPEND_FAILURES",
    "AUDIT_INTACT",
    "AUDIT_RECORDS",
    "AUDIT_VERIFIED",
    "BACKGROUND_FAILURES",
    "BREAKER",
    "BUILD",
    "CERTIFICATE_EXPIRY",
    "CERTIFICATE_LOADS",
    "DATABASE_UP",
    "DELIVERIES",
    "OLDEST_PENDING",
    "OPERATIONS",
    "PLAIN_HTTP_REFUSED",
    "REGISTRY",
    "SAMPLED",
    "STRIPE_ATTEMPTS",
    "TOO_SLOW",
    "count_stripe_attempt",
]

REGISTRY = CollectorRegistry()
# A second series for each counter, which no rule uses.
disable_created_metrics()  # type: ignore[no-untyped-call]


def build_counter(name: str, text: str, *labels: str) -> Counter:
    """Build a counter of this service."""
    return Counter(f"billing_{name}", text, labels, registry=REGISTRY)


def build_gauge(name: str, text: str, *labels: str) -> Gauge:
    """Build a gauge of this service."""
    return Gauge(f"billing_{name}", text, labels, registry=REGISTRY)


BUILD = Info("billing_build", "What is running.", registry=REGISTRY)

ANSWERS = build_counter("answers_total", "Answers by status.", "status")
DELIVERIES = build_counter(
    "webhook_deliveries_total",
    "Deliveries that were answered: accepted with their outcome, or rejected with their cause.",
    "result",
    "reason",
)
PLAIN_HTTP_REFUSED = build_counter(
    "plain_http_refused_total", "Requests refused because a proxy took them by plain HTTP."
)
TOO_SLOW = build_counter("requests_too_slow_total", "Connections dropped because a request came too slowly.", "part")

STRIPE_ATTEMPTS = build_counter(
    "stripe_attempts_total", "Attempts of calls to Stripe by operation and by what came of them.", "operation", "result"
)
BREAKER = build_gauge("stripe_breaker_state", "1 for the state that the circuit breaker to Stripe is in.", "state")

OPERATIONS = build_gauge("operations", "Operations in the database by status.", "status")
OLDEST_PENDING = build_gauge("operations_oldest_pending_seconds", "Age of the oldest pending operation; 0 without one.")
DATABASE_UP = build_gauge("database_up", "1 when the database answered the last look into it.")
SAMPLED = build_gauge(
    "sampled_timestamp_seconds", "When the database was last looked into, whether it answered or not."
)

AUDIT_RECORDS = build_gauge("audit_records", "Records in the audit log.")
AUDIT_APPEND_FAILURES = build_counter("audit_append_failures_total", "Records that the audit log refused.")
AUDIT_INTACT = build_gauge("audit_intact", "1 when the last check found the audit log whole, 0 when it is broken.")
AUDIT_VERIFIED = build_gauge(
    "audit_verified_timestamp_seconds", "When the audit log was last checked; 0 before the first."
)

CERTIFICATE_EXPIRY = build_gauge(
    "tls_certificate_expiry_timestamp_seconds", "When the certificate that is served ends."
)
CERTIFICATE_LOADS = build_counter(
    "tls_certificate_loads_total", "Changed certificates: taken, or refused and the old one kept.", "result"
)

BACKGROUND_FAILURES = build_counter(
    "background_failures_total", "Runs of background jobs that ended by an error.", "task"
)


def count_stripe_attempt(operation: str, result: str) -> None:
    """Count one attempt of a call to Stripe; both words come from lists of the gateway's."""
    STRIPE_ATTEMPTS.labels(operation, result).inc()
