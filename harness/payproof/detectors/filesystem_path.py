from typing import ClassVar

from payproof.domain.finding import Confidence
from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector

__all__ = ["FilesystemPath"]

# What comes before a path, but not before the path of an address: no host, no attribute that holds a link.
_BEGINS = rb"""(?<![\w./:%~+-])(?<!src=["'])(?<!href=["'])(?<!action=["'])(?<!url\()(?<!url\(["'])"""
_STEP = rb"[\w.@+ -]{1,80}"
_CODE = (
    rb"(?:py|pyc|pyx|rb|erb|php|phtml|js|mjs|cjs|ts|tsx|jsx|vue|java|jar|war|class|kt|scala|go|rs|cs|cshtml|dll|exe|so|"
    rb"ex|exs|pl|pm|lua|sh|conf|cfg|ini|toml|ya?ml|env|db|sqlite3?|log|pem|key|crt|sock|pid|lock|twig|blade|"
    rb"jinja2?|sql)"
)


@detector
class FilesystemPath(FormDetector):
    """Absolute paths of the machine: of files by their kind, and below folders that no web address begins with."""

    name: ClassVar[str] = "filesystem_path"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b"ENOENT: no such file or directory, open '/srv/billing/keys/webhook.pem'",
        b'{"error":"cannot read \\/var\\/www\\/html\\/config.php"}',
        b"in <b>/home/deploy/app/hook.php</b>",
        b"/usr/local/lib/python3.12/site-packages/stripe/_webhook.py",
        b"/app/node_modules/stripe/cjs/Webhooks.js",
        b'File "/billing/services/webhooks.py", line 3',
        b"open /etc/billing/secret: permission denied",
        b"Could not find file 'C:\\inetpub\\wwwroot\\new\\Hook.cs'.",
        b'{"file":"D:\\\\apps\\\\billing\\\\Hook.cs"}',
        b"file:///srv/billing/hook.mjs",
        b"[Errno 2] No such file or directory: '/srv/billing/static/index.html'",
        b"cannot reach sqlite:////data/billing",
        b'{"url":"jdbc:h2:file:\\/data\\/billing"}',
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'<script src="/app/main.js"></script><link href="/var/theme/site.css">',
        b"https://billing.example/home/docs/hook.php?id=1",
        b'{"type":"about:blank","status":404,"instance":"/app/invoices/17"}',
        b"Cannot POST /webhooks/stripe",
        b"and/or, 24/7, text/html; q=0.9, /v1/invoices",
        b"No such file or directory",
        b"sqlite: database is locked",
    )
    forms: ClassVar[Forms] = Forms(
        Form(
            "path of a file",
            _BEGINS + rb"/(?:app|code|data|home|media|mnt|opt|private|root|run|srv|tmp|Users|usr|var|workspace|www)"
            rb"(?:/" + _STEP + rb"){1,20}\." + _CODE + rb"\b",
            Confidence.MEDIUM,
        ),
        Form(
            "path of a file",
            _BEGINS + rb"/(?:etc|proc|usr/(?:bin|lib|local|share|src)|var/(?:lib|log|run|www|task|tmp|cache)|root|"
            rb"home/[\w.-]{1,40}/\w)"
            rb"[\w.@+-]{0,80}(?:/[\w.@+-]{1,80}){1,20}",
            Confidence.MEDIUM,
        ),
        Form(
            "path of a file",
            _BEGINS
            + rb"(?:/[\w.@+-]{1,80}){2,20}\.(?:py|rb|erb|java|kt|scala|go|rs|cs|exs?|pem|key|env|sqlite3?|conf|ini)\b",
            Confidence.MEDIUM,
        ),
        Form(
            "path of a library",
            rb"/(?:site-packages|dist-packages|node_modules|vendor/(?:bundle|composer|laravel|symfony|"
            rb"stripe)|gems)/[\w.@+-]{1,80}/",
            Confidence.MEDIUM,
        ),
        Form(
            "path of a file",
            rb"\b[A-Z]:\\(?:[\w.@+() -]{1,80}\\){1,20}[\w.@+() -]{1,80}\.\w{1,8}",
            Confidence.MEDIUM,
            needs=(b":\\",),
        ),
        Form(
            "path of a file",
            rb"(?:[Nn]o such file or directory|[Pp]ermission denied|[Ii]s a directory)\W{1,8}(?:/[\w.@+-]{1,80}){1,20}",
            Confidence.MEDIUM,
        ),
        Form(
            "address of a database in a file",
            rb"\b(?:jdbc:)?(?:sqlite3?|h2|hsqldb|derby|duckdb)(?:\+\w{1,20})?:(?:file:)?(?:/{1,4}|[A-Z]:)[\w.@+/\\-]{1,300}",
            Confidence.MEDIUM,
        ),
        Form("path of a file", rb"\bfile:///(?:[\w.@+%-]{1,80}/){1,20}[\w.@+%-]{1,80}", Confidence.MEDIUM),
    )
