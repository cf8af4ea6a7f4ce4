from typing import ClassVar

from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector

__all__ = ["EnvironmentDump"]

# A name and what follows it in a shell, in JSON, in Python, PHP or Ruby, or in the next cell of a table.
_IS = rb"[\"']?\]?\s{0,20}(?:=>?|:|\n)\s{0,20}"


@detector
class EnvironmentDump(FormDetector):
    """The environment or the settings of the process; a hit ends with a name, as the value may be a secret."""

    name: ClassVar[str] = "environment_dump"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b"PATH=/usr/local/bin:/usr/bin:/bin\nHOME=/root",
        b'{"PATH":"/usr/local/bin:/usr/bin","NODE_ENV":"production"}',
        b"{'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8'}",
        b"DATABASE_URL=postgresql://billing@localhost/billing",
        b'"STRIPE_WEBHOOK_SECRET": "..."',
        b'<tr><td>SECRET_KEY</td><td class="code"><pre>&#x27;********************&#x27;</pre></td></tr>',
        b"AWS_SECRET_ACCESS_KEY => ...",
        b"<td>wsgi.multithread</td>",
        b"'rack.url_scheme'=>'https'",
        b'<h1 class="p">PHP Version 8.2.28</h1>',
        b"<title>PHP 8.2.28 - phpinfo()</title>",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"path":"/webhooks/stripe","home":"/"}',
        b"The STRIPE_WEBHOOK_SECRET must be configured.",
        b"HOME PATH LANG",
        b"PATH: /webhooks/stripe",
    )
    forms: ClassVar[Forms] = Forms(
        Form("environment variables", rb"\bPATH" + _IS + rb"[\"']?(?:/[\w.-]{1,60}){1,10}:/", needs=(b"PATH",)),
        Form(
            "environment variables",
            rb"\b(?:DATABASE_URL|REDIS_URL|MONGO(?:DB)?_UR[IL]|SENTRY_DSN|STRIPE_\w{0,40}(?:KEY|"
            rb"SECRET)\w{0,20}|AWS_SECRET_ACCESS_KEY|"
            rb"AWS_SESSION_TOKEN|(?:DB|POSTGRES|PG|MYSQL|MARIADB|REDIS)_?PASSWORD|GPG_KEY|VIRTUAL_ENV|"
            rb"PYTHONPATH|NODE_OPTIONS|"
            rb"KUBERNETES_SERVICE_HOST|DJANGO_SETTINGS_MODULE|RAILS_MASTER_KEY|SECRET_KEY_BASE|APP_KEY|JWT_SECRET)"
            + _IS,
        ),
        Form("settings of Django", rb"\b(?:SECRET_KEY|ROOT_URLCONF|SETTINGS_MODULE|CSRF_COOKIE_NAME)" + _IS),
        Form(
            "environment of the request",
            rb"\bwsgi\.(?:errors|file_wrapper|input|multiprocess|multithread|run_once)\b",
            needs=(b"wsgi.",),
        ),
        Form(
            "environment of the request",
            rb"\brack\.(?:errors|hijack|input|multithread|run_once|session|url_scheme|version)\b",
            needs=(b"rack.",),
        ),
        Form(
            "settings of PHP",
            rb"<h1 class=\"p\">PHP Version \d|\bphpinfo\(\)</title>",
            needs=(b"PHP Version ", b"phpinfo()"),
        ),
    )
