from typing import ClassVar

from payproof.domain.finding import Confidence
from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector

__all__ = ["StackTrace"]

_PLACE = rb"(?:node:|file://|webpack-internal:|bun:|/|[A-Z]:\\)[^\n()]{1,300}:\d+:\d+"


@detector
class StackTrace(FormDetector):
    """Stack traces of common languages; frames and headings only, so that prose about errors is no hit (CWE-209)."""

    name: ClassVar[str] = "stack_trace"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b'Traceback (most recent call last):\n  File "app.py", line 3, in f\nValueError: no',
        b'{"detail":"File \\"x"}File "/srv/app/main.py", line 12',
        b'{"trace":"  File \\"/srv/app/main.py\\", line 12, in f\\n    raise ValueError"}',
        b'<p class="frame-title">File <span class="frame-filename">/srv/app/main.py</span>,\nline <i>12</i>',
        b"Error: no\n    at verify (/srv/app/node_modules/stripe/lib/Webhooks.js:57:19)",
        b'{"stack":"Error: no\\n    at async file:///srv/app/hook.mjs:9:11"}',
        b"<pre>Error: no<br> &nbsp; &nbsp;at next (node:internal/process/task_queues:105:5)</pre>",
        b"at com.example.billing.Hook.handle(Hook.java:41)",
        b"<pre>java.lang.IllegalStateException: no\n\tcom.example.billing.Hook.handle(Hook.java:41)\n</pre>",
        b"at java.base/java.lang.Thread.run(Thread.java:840)",
        b"at com.example.billing.Hook.&lt;init&gt;(Hook.kt:7)",
        b"Caused by: java.lang.IllegalStateException: no",
        b"app/controllers/hooks_controller.rb:17:in `create'",
        b"/srv/app/hook.rb:3:in &#39;Hook#create&#39;",
        b"<code>/srv/app/hook.rb</code> in\n   <code><strong>fetch</strong></code>",
        b"at hook()\n     (/var/www/html/hook.php:13)",
        b'<span class="breakable">/srv/app/hook.py</span> in <span>take</span> at line\n <span>16</span>',
        b"#0 /var/www/html/vendor/stripe/Webhook.php(42): construct()",
        b"<b>Warning</b>:  Undefined variable $body in <b>/var/www/html/hook.php</b> on line <b>3</b><br />",
        b"PHP Fatal error:  Uncaught RuntimeException: no",
        b'{"message":"Cannot read properties of undefined (reading \'object\')"}',
        b"{\"error\":\"'NoneType' object has no attribute 'id'\"}",
        b"NoMethodError: undefined method `id' for nil:NilClass",
        b'Cannot invoke "Customer.id()" because "<local4>" is null',
        b"panic: no\n\ngoroutine 1 [running]:\nmain.main()",
        b"\t/srv/app/hook.go:12 +0x1d",
        b"   at Billing.Hook.Handle(String body) in /src/Hook.cs:line 12",
        b"   at Microsoft.AspNetCore.Routing.EndpointMiddleware.Invoke(HttpContext context)",
        b"System.InvalidOperationException: no",
        b"thread 'main' panicked at src/main.rs:4:5",
        b"thread 'tokio-runtime-worker' (4711) panicked at 'no', src/main.rs:4:5",
        b"   3: hook::main\n             at ./src/main.rs:4:5",
        b"panic: runtime error: index out of range [3] with length 3",
        b"Object reference not set to an instance of an object.",
        b"Call to a member function id() on null",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"error":"unauthorized"}',
        b"<h1>404 Not Found</h1><hr><center>nginx</center>",
        b'{"message":"An error occurred at 12:30 (UTC)","reference":"8f14e45f"}',
        b"Look at the documentation (https://billing.example/docs:8080) and try again.",
        b"Warning: your card expires in 3 days. Error: the request failed in line with policy.",
    )
    forms: ClassVar[Forms] = Forms(
        Form("Python traceback", rb"Traceback \(most recent call last\)"),
        Form("Python traceback", rb"File \"?[^\"\n,<]{1,300}\.pyx?\"?,\s{1,9}line\s{1,9}\d+"),
        Form("Python traceback", rb"\.pyx? in [^\n]{1,120} at line\s{1,9}\d+", needs=(b" at line",)),
        Form("Node stack frame", rb"\bat [^\n()]{0,120}\(%s\)" % _PLACE, needs=(b"at ",)),
        Form("Node stack frame", rb"\bat (?:async )?%s" % _PLACE),
        Form(
            "Java stack frame",
            rb"\bat [\w$./@<>-]{1,200}\((?:[\w$-]{1,100}\.(?:java|kt|scala|groovy):\d+|Native Method|Unknown Source)\)",
            needs=(b":", b"Native Method", b"Unknown Source"),
        ),
        Form("Java stack frame", rb"\([A-Z][\w$-]{0,100}\.(?:java|kt|scala|groovy):\d{1,6}\)"),
        Form(
            "Java exception",
            rb"(?:Caused by: |Exception in thread \"[^\"\n]{1,80}\" )(?:[a-z]\w{0,40}\.){1,8}[A-Z]\w{0,80}",
            needs=(b"Caused by: ", b"Exception in thread "),
        ),
        Form("Ruby stack frame", rb"\.(?:rb|erb|ru|rake|haml|slim):\d+:in [`'][^'\n]{1,120}'", needs=(b":in ",)),
        Form("Ruby stack frame", rb"/[\w.+-]{1,80}\.rb in\n\s{0,40}\w", needs=(b".rb in",)),
        Form("PHP stack frame", rb"\((?:/|[A-Z]:\\)[^\n()]{1,300}\.php:\d+\)", needs=(b".php:",)),
        Form("PHP stack frame", rb"#\d+ (?:/|[A-Z]:\\|phar://)[^\n]{1,300}\.(?:php|phar)\(\d+\)"),
        Form(
            "PHP error",
            rb"\b(?:(?:Fatal |Parse )?error|Warning|Notice|Deprecated):\s{1,2}[^\n]{1,400} in (?:/|"
            rb"[A-Z]:\\)[^\n]{1,300}"
            rb" on line \d+",
            needs=(b" on line ",),
        ),
        Form("PHP error", rb"PHP (?:Fatal error|Parse error|Warning|Notice|Deprecated):  "),
        Form("Go panic", rb"goroutine \d+ \[[a-z, \d]{3,60}\]:"),
        Form("Go stack frame", rb"\.go:\d+ \+0x[0-9a-f]+"),
        Form("Go panic", rb"runtime error: (?:invalid memory address|index out of range|slice bounds|integer divide)"),
        Form(
            ".NET stack frame",
            rb"\bat [\w.`<>+\[\],]{3,200}\([^)\n]{0,300}\) in (?:/|[A-Z]:\\)[^\n]{1,300}:line \d+",
            needs=(b":line ",),
        ),
        Form(
            ".NET stack frame",
            rb"\bat (?:System|Microsoft)\.[\w.`<>+\[\],]{2,200}\(",
            needs=(b"at System.", b"at Microsoft."),
        ),
        Form(
            ".NET exception",
            rb"\b(?:System|Microsoft)\.(?:[A-Z]\w{0,60}\.){0,6}\w{0,60}Exception: ",
            needs=(b"Exception: ",),
        ),
        Form("Rust panic", rb"thread '[^'\n]{1,80}' (?:\(\d+\) )?panicked at "),
        Form(
            "text of a programming error",
            rb"Cannot read propert(?:ies|y '[^'\n]{1,80}') of (?:undefined|null)|'NoneType' object (?:has no|is not)|"
            rb"' object has no attribute '|Object reference not set to an instance|Call to a member function |"
            rb"undefined method [`'][^'\n]{1,80}' for nil|because \"[^\"\n]{1,200}\" is null",
            Confidence.MEDIUM,
        ),
        Form("Rust stack frame", rb"\n\s{1,20}at [^\n]{1,200}\.rs:\d+", needs=(b".rs:",)),
    )
