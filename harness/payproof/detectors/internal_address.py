from typing import ClassVar

from payproof.domain.finding import Confidence
from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector

__all__ = ["InternalAddress"]

_OCTET = rb"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_HOST = rb"[\w.:\[\]-]{1,255}"
_REFUSED = rb"(?:connection refused|i/o timeout|no route to host|network is unreachable|connection reset)"


@detector
class InternalAddress(FormDetector):
    """Hosts behind the target: whom it could not reach, in the words of its libraries, and private addresses."""

    name: ClassVar[str] = "internal_address"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b"connect ECONNREFUSED 127.0.0.1:5432",
        b"getaddrinfo ENOTFOUND billing-db",
        b"dial tcp 127.0.0.1:5432: connect: connection refused",
        b"dial tcp: lookup billing-db on 127.0.0.53:53: no such host",
        b"HTTPConnectionPool(host=&#x27;ledger&#x27;, port=8080): Max retries exceeded with url: /",
        b"Cannot connect to host ledger:8080 ssl:default [Connect call failed (&#x27;127.0.0.1&#x27;, 8080)]",
        b'connection to server at "127.0.0.1", port 5432 failed: Connection refused',
        b'could not translate host name "billing-db" to address: Name or service not known',
        b"Can't connect to MySQL server on 'billing-db' ([Errno 111] Connection refused)",
        b"Error 111 connecting to cache:6379. Connection refused.",
        b"ledger:27017: [Errno 111] Connection refused",
        b"Unable to connect: TDS server is unavailable or does not exist (ledger)",
        b"java.net.UnknownHostException: billing-db",
        b"Connection to billing-db:5432 refused.",
        b'Failed to open TCP connection to ledger:8080 (Connection refused - connect(2) for "ledger" port 8080)',
        b"No connection could be made because the target machine actively refused it. (ledger:8080)",
        b"stream_socket_client(): Unable to connect to tcp://cache:6379",
        b'{"upstream":"10.12.0.7:8080"}',
        b"http://ledger.billing.svc.cluster.local/v1",
        b"ip-10-0-1-23.eu-central-1.compute.internal",
        b"failed to resolve host 'billing-db': [Errno -2] Name or service not known",
        b"connect to billing-db:5432 [billing-db/127.0.0.1] failed",
        b"Connection refused (billing-db:5432)",
        b"http://ledger.internal:8080/accounts",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b"Version 10.0.0.1234 of the schema, in 4.10.0.1.2 and v10.1.2.3",
        b"The connection was refused. Please try again later.",
        b"https://billing.example:8443/v1/invoices from 203.0.113.7",
        b"172.32.0.1 and 192.169.0.1 are public.",
    )
    forms: ClassVar[Forms] = Forms(
        Form(
            "host that could not be reached",
            rb"\b(?:connect|getaddrinfo|queryA{1,4}|read|write) (?:ECONNREFUSED|ENOTFOUND|ETIMEDOUT|"
            rb"EHOSTUNREACH|ENETUNREACH|"
            rb"ECONNRESET|EAI_AGAIN|ENOENT) [\w.:/\[-][^\s\"'<,]{0,255}",
            needs=(b" E",),
        ),
        Form(
            "host that could not be reached",
            rb"\bdial (?:tcp|udp|unix)4?6? " + _HOST + rb": [^\n\"]{0,60}" + _REFUSED,
            needs=(b"dial ",),
        ),
        Form(
            "host that could not be reached",
            rb"\blookup " + _HOST + rb"(?: on " + _HOST + rb")?: (?:no such host|i/o timeout|server misb)",
            needs=(b"lookup ",),
        ),
        Form("host that could not be reached", rb"ConnectionPool\(host='[^'\n]{1,255}', port=\d+\)"),
        Form(
            "host that could not be reached",
            rb"Cannot connect to host " + _HOST + rb":\d+|Connect call failed \('[^'\n]{1,255}', \d+",
        ),
        Form(
            "host that could not be reached",
            rb"connection to server (?:at \"[^\"\n]{1,255}\"|on socket \"[^\"\n]{1,255}\")",
        ),
        Form(
            "host that could not be reached",
            rb"could not translate host name \"[^\"\n]{1,255}\"|failed to resolve host '[^'\n]{1,255}'",
        ),
        Form(
            "host that could not be reached",
            rb"Can't connect to (?:local )?(?:MySQL |MariaDB )?server (?:on|through socket) '[^'\n]{1,255}'",
        ),
        Form(
            "host that could not be reached", rb"Error (?:-?\d+ )?connecting to (?:unix socket: )?[\w./:-]{1,255}[\w]"
        ),
        Form("host that could not be reached", rb"[\w.-]{1,255}:\d{1,5}: \[Errno -?\d+\]", needs=(b": [Errno ",)),
        Form(
            "host that could not be reached",
            rb"java\.net\.(?:ConnectException|UnknownHostException|NoRouteToHostException|"
            rb"SocketTimeoutException): [^\s<]",
        ),
        Form(
            "host that could not be reached",
            rb"Connection to [\w.-]{1,255}:\d+ refused|connect to [\w.-]{1,255}:\d+ \[[^\]\n]{1,255}\] failed",
            needs=(b"Connection to ", b"connect to "),
        ),
        Form(
            "host that could not be reached",
            rb"Failed to open TCP connection to " + _HOST + rb"|connect\(2\) for \"[^\"\n]{1,255}\" port \d+",
        ),
        Form(
            "host that could not be reached",
            rb"actively refused it\.? [\[(]?" + _HOST + rb":\d+|Connection refused \([\w.-]{1,255}:\d+\)",
            needs=(b"actively refused it", b"Connection refused ("),
        ),
        Form("host that could not be reached", rb"Unable to connect to (?:tcp|tls|ssl|unix)://[^\s<\"']{1,255}"),
        Form("host that could not be reached", rb"server is unavailable or does not exist \([^)\s]{1,255}\)"),
        Form(
            "private address",
            rb"(?<![\w.-])(?:10\.%s|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.%s\.%s(?![\w-]|\.\d)"
            % (_OCTET, _OCTET, _OCTET),
            Confidence.MEDIUM,
        ),
        Form(
            "host name inside a network",
            rb"(?<=[\w-])\.svc\.cluster\.local\b|\bip-\d+-\d+-\d+-\d+\.[\w.-]{0,60}internal\b",
            needs=(b".svc.cluster.local", b"internal"),
        ),
        Form(
            "host name inside a network",
            rb"(?<=[\w-])\.(?:internal|intranet|corp|lan|local):\d{2,5}\b",
            Confidence.MEDIUM,
        ),
    )
