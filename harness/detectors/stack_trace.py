import re
from collections.abc import Iterator
from typing import ClassVar

from harness.domain.contracts import Hit
from harness.domain.finding import Confidence
from harness.registry import detector

__all__ = ["StackTrace"]

_FORMS = {
    "Python traceback": rb"Traceback \(most recent call last\)|File \"[^\"\n]+\.py\", line \d+",
    "Node stack frame": rb"\n?\s+at [^\n(]{0,120}\((?:node:|file://|/|[A-Z]:\\)[^\n)]+:\d+:\d+\)",
    "Java stack frame": rb"\bat (?:[a-z_$][\w$]*\.)+[A-Z][\w$]*\.[\w$<>]+\([\w$]+\.(?:java|kt|scala):\d+\)",
    "Ruby stack frame": rb"\b[\w/.-]+\.rb:\d+:in [`'][^'\n]+'",
    "PHP stack frame": rb"#\d+ (?:/|[A-Z]:\\)[^\n]+\.php\(\d+\)",
    "Go panic": rb"goroutine \d+ \[[a-z ]+\]:",
    ".NET stack frame": rb"\bat [\w.`<>]+\([^)\n]*\) in (?:/|[A-Z]:\\)[^\n]+:line \d+",
    "Rust panic": rb"thread '[^'\n]+' panicked at [^\n]+\.rs:\d+",
}
_ANY = re.compile(b"|".join(b"(?P<f%d>%s)" % (index, form) for index, form in enumerate(_FORMS.values())))
_NAMES = list(_FORMS)


@detector
class StackTrace:
    """Stack traces of common languages; frames only, so that prose about errors is no hit (CWE-209)."""

    name: ClassVar[str] = "stack_trace"
    positive: ClassVar[tuple[bytes, ...]] = (
        b'Traceback (most recent call last):\n  File "app.py", line 3, in f\nValueError: no',
        b'{"detail":"File \\"x"}File "/srv/app/main.py", line 12',
        b"Error: no\n    at verify (/srv/app/node_modules/stripe/lib/Webhooks.js:57:19)",
        b"at com.example.billing.Hook.handle(Hook.java:41)",
        b"app/controllers/hooks_controller.rb:17:in `create'",
        b"#0 /var/www/html/vendor/stripe/Webhook.php(42): construct()",
        b"panic: no\n\ngoroutine 1 [running]:\nmain.main()",
        b"   at Billing.Hook.Handle(String body) in /src/Hook.cs:line 12",
        b"thread 'main' panicked at src/main.rs:4:5",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"error":"unauthorized"}',
        b"<h1>404 Not Found</h1><hr><center>nginx</center>",
        b'{"message":"An error occurred at 12:30 (UTC)","reference":"8f14e45f"}',
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each frame or header of a trace."""
        for match in _ANY.finditer(data):
            assert match.lastgroup is not None
            yield Hit(match.start(), match.end(), _NAMES[int(match.lastgroup[1:])], Confidence.HIGH)
