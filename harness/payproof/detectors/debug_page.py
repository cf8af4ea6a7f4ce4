from typing import ClassVar

from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector

__all__ = ["DebugPage"]


@detector
class DebugPage(FormDetector):
    """Pages that frameworks show to developers; each is known by texts that its production pages never hold."""

    name: ClassVar[str] = "debug_page"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b"<title>KeyError: 'id'\n // Werkzeug Debugger</title>",
        b"<title>Starlette Debugger</title>",
        b"You're seeing this error because you have <code>DEBUG = True</code> in your\nDjango settings file.",
        b"Request Method: POST\nRequest URL: http://localhost/hook\n\nDjango Version: 5.2.1\nPython Version: 3.12.1",
        b"Using the URLconf defined in <code>billing.urls</code>,\nDjango tried these URL patterns, in this order:",
        b"<title>Hook \xe2\x80\x93 Django REST framework</title>",
        b"of this page because you have <code>DEBUG =\nTrue</code> in your Django settings file",
        b"<title>Litestar exception page</title>",
        b"<title>Error</title>\n</head>\n<body>\n<pre>TypeError: no<br> &nbsp; &nbsp;at hook (/srv/app.js:3:9)</pre>",
        b'<script id="__NEXT_DATA__" type="application/json">{"props":{},"err":{"name":"Error","source":"server"}}',
        b"<title>Action Controller: Exception caught</title>",
        b'{"status":500,"exception":"#<KeyError: no>","traces":{"Application Trace":[]}}',
        b"You're seeing this error because you have\n  enabled the <code>show_exceptions</code> setting.",
        b"<h2>Sinatra doesn&rsquo;t know this ditty.</h2>",
        b'{"message":"no","exception":"RuntimeException","file":"\\/var\\/www\\/Hook.php","line":3,"trace":[]}',
        b'<div class="Whoops container">',
        b"x-debug-exception-file: %2Fvar%2Fwww%2FHook.php:3",
        b'<div class="exception-message-wrapper">\n<h1 class="break-long-words exception-message">no</h1>',
        b'{"status":500,"trace":"java.lang.IllegalStateException: no\\n\\tat Hook"}',
        b"<h1>Whitelabel Error Page</h1><div style='white-space:pre-wrap;'>java.lang.IllegalStateException: no",
        b"<h1>HTTP Status 500</h1><p><b>Exception</b></p><pre>java.lang.IllegalStateException: no",
        b"<b> Exception Details: </b>System.InvalidOperationException: no<br>",
        b"<h1>An unhandled exception occurred while processing the request.</h1>",
        b'<script src="?__debugger__=yes&amp;cmd=resource&amp;f=debugger.js"></script>',
        b"var CONSOLE_MODE = false, EVALEX = true",
        b"<p><code>Rails.root: /srv/billing</code></p>",
        b"window.ignite(window.data);",
        b'{"file":"/srv/vendor/spatie/laravel-ignition/src/Hook.php"}',
        b"<span>vendor/laravel/framework/src/Illuminate/Routing/Route.php:260</span>",
        b"Laravel `12.0.1`\n\n## Stack Trace\n\n```\n0 - app/Hook.php:7",
        b"<title>Whoops! There was an error.</title>",
        b'<div class="exception-metadata">',
        b"<b>Source Error:</b> <br><br>",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b"<h1>Whitelabel Error Page</h1><p>There was an unexpected error (type=Not Found, status=404).</p>",
        b"<pre>Internal Server Error</pre>",
        b"<!doctype html><title>Server Error (500)</title><h1>Server Error (500)</h1>",
        b'{"timestamp":"2026-01-01T00:00:00Z","status":500,"error":"Internal Server Error","path":"/hook"}',
        b"<title>We're sorry, but something went wrong (500)</title>",
        b'{"message":"Server Error"}',
        b'{"err":{"name":"Internal Server Error.","message":"500 - Internal Server Error.","statusCode":500}}',
        b"<h1>HTTP Status 404</h1><p><b>Type</b> Status Report</p>",
    )
    forms: ClassVar[Forms] = Forms(
        Form(
            "Werkzeug debugger",
            rb"// Werkzeug Debugger|\?__debugger__=yes|CONSOLE_MODE = (?:true|false)",
            needs=(b"Werkzeug Debugger", b"__debugger__", b"CONSOLE_MODE"),
        ),
        Form("Starlette debugger", rb"<title>Starlette Debugger</title>"),
        Form("Django debug page", rb"because you have\s{1,9}DEBUG\s{1,9}=\s{1,9}True"),
        Form("Django debug page", rb"Django Version:\s{1,20}\d+\.\d+"),
        Form("Django debug page", rb"Using the URLconf defined in\s{1,20}[\w.]+"),
        Form("Django REST framework browsable page", rb"\xe2\x80\x93 Django REST framework</title>"),
        Form("Litestar debug page", rb"<title>Litestar exception page</title>"),
        Form("Express error page", rb"<pre>[^<\n]{1,300}<br> (?:&nbsp;|\xc2\xa0) ?(?:&nbsp;|\xc2\xa0)at "),
        Form("Next error data", rb"\"err\":\s?\{\s?\"name\":\s?\"[^\"]{0,100}\",\s?\"(?:source|stack)\""),
        Form(
            "Rails debug page",
            rb"Action Controller: Exception caught|\bRails\.root: ",
            needs=(b"Action Controller: Exception caught", b"Rails.root"),
        ),
        Form("Rails debug page", rb"\"traces\":\s?\{\s?\"Application Trace\""),
        Form(
            "Rack debug page",
            rb"You're seeing this error because you (?:have\s{1,9}enabled the\s|use\s{1,9}Rack::Show)",
        ),
        Form("Sinatra debug page", rb"Sinatra doesn\xe2\x80\x99t know this ditty"),
        Form(
            "Laravel debug data",
            rb"\"exception\":\s?\"[\w\\]{1,200}\",\s{0,9}\"file\":\s?\"[^\"]{1,300}\",\s{0,9}\"line\":\s?\d+",
        ),
        Form(
            "Laravel debug page",
            rb"window\.ignite\(|spatie/(?:laravel-)?ignition/|vendor/laravel/framework/src/|"
            rb"## Stack Trace\n\n```\n0 - ",
        ),
        Form(
            "Whoops debug page", rb"class=\"Whoops container|Whoops! There was an error\.</title>", needs=(b"Whoops",)
        ),
        Form(
            "Symfony debug page",
            rb"class=\"exception-message-wrapper|class=\"[\w -]{0,40}exception-metadata",
            needs=(b"exception-m",),
        ),
        Form("Symfony debug header", rb"(?im)^x-debug-exception(?:-file)?: ", needs=(b"-",)),
        Form("Spring trace", rb"\"trace\"\s?:\s?\"(?:[a-z]\w{0,40}\.){1,8}[A-Z][\w$]{0,80}"),
        Form(
            "Spring trace",
            rb"<div style='white-space:pre-wrap;'>(?:[a-z]\w{0,40}\.){1,8}[A-Z]\w{0,80}(?:Exception|Error)",
        ),
        Form("Tomcat error report", rb"<b>(?:Exception|Root Cause)</b></p><pre>"),
        Form("ASP.NET error page", rb"<b> ?Exception Details: ?</b>|<b> ?Source Error: ?</b>"),
        Form("ASP.NET Core error page", rb"An unhandled exception occurred while processing the request\."),
    )
