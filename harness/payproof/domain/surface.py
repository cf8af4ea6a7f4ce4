"""Places at which servers, frameworks and careless deployments show too much, and how that is recognised."""

import re
from collections.abc import Mapping
from typing import Literal

__all__ = ["PLACES", "Surface", "recognise_exposed"]

Surface = Literal["files", "backups", "servers", "developers", "health", "source_maps"]

PLACES: Mapping[Surface, tuple[str, ...]] = {
    "files": (
        "/.env", "/.env.local", "/.env.production", "/.env.example", "/.git/config", "/.git/HEAD", "/.svn/entries",
        "/.svn/wc.db", "/.hg/hgrc", "/.DS_Store", "/.htaccess", "/.htpasswd", "/.npmrc", "/.aws/credentials",
        "/.ssh/id_rsa", "/.vscode/sftp.json", "/docker-compose.yml", "/Dockerfile", "/config.json", "/config.yml",
        "/settings.py", "/web.config", "/wp-config.php.bak", "/composer.json", "/appsettings.json", "/secrets.yml",
    ),
    "backups": (
        "/backup.sql", "/dump.sql", "/database.sql", "/db.sql", "/backup.zip", "/backup.tar.gz", "/www.zip",
        "/db.sqlite3", "/app.db", "/database.db", "/billing.db", "/index.php.bak", "/app.py.bak", "/server.js.bak",
        "/.env.bak", "/.env.old", "/config.php~",
    ),
    "servers": (
        "/server-status", "/server-info", "/nginx_status", "/phpinfo.php", "/info.php", "/test.php", "/actuator",
        "/actuator/env", "/actuator/configprops", "/actuator/heapdump", "/actuator/mappings", "/env", "/manage/env",
        "/jolokia", "/h2-console", "/cgi-bin/", "/uploads/", "/backup/", "/static/",
    ),
    "developers": (
        "/debug", "/debug/pprof/", "/debug/vars", "/debug/default/view", "/console", "/docs", "/redoc",
        "/swagger-ui.html", "/api-docs", "/graphql", "/graphiql", "/admin", "/admin/", "/telescope", "/horizon",
        "/_profiler", "/_profiler/phpinfo", "/_ignition/health-check", "/__debug__/", "/rails/info/properties",
        "/elmah.axd",
        "/trace.axd", "/logs", "/log", "/error.log", "/debug.log", "/storage/logs/laravel.log",
    ),
    "health": (
        "/health", "/healthz", "/health/live", "/health/ready", "/livez", "/readyz", "/ping", "/status", "/version",
        "/info", "/metrics", "/actuator/health", "/actuator/info", "/api/health", "/config", "/api/config",
    ),
    "source_maps": (
        "/main.js.map", "/app.js.map", "/index.js.map", "/bundle.js.map", "/server.js.map", "/static/js/main.js.map",
        "/assets/index.js.map", "/js/app.js.map", "/dist/main.js.map", "/_next/static/chunks/main.js.map",
    ),
}  # fmt: skip

_ENVIRONMENT = re.compile(
    r"(?:^|\n)(?:export )?[A-Z][A-Z0-9_]{2,}=\S[^\n]*\n+(?:#[^\n]*\n+)*(?:export )?[A-Z][A-Z0-9_]{2,}="
)
#: What is recognised by what it says, in the first of these that fits.
_SHOWN: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a repository's configuration", re.compile(r"\A\s*\[core\]\s|\A\[paths\]\s")),
    ("a repository's head", re.compile(r"\Aref: refs/heads/|\A[0-9a-f]{40}\n\Z")),
    ("a database", re.compile(r"\ASQLite format 3")),
    (
        "a dump of a database",
        re.compile(r"(?m)^-- (?:MySQL|PostgreSQL) (?:database )?dump|^(?:CREATE TABLE|INSERT INTO) "),
    ),
    ("an archive", re.compile(r"\APK\x03\x04|\A\x1f\ufffd\x08|\A\ufffd?ustar")),
    ("a folder's list of Finder", re.compile(r"\A.{0,8}Bud1", re.DOTALL)),
    ("a list of a folder", re.compile(r"<title>(?:Index of|Directory listing for) /")),
    ("phpinfo", re.compile(r"<title>(?:PHP [\d.]+ - )?phpinfo\(\)")),
    ("the state of Apache", re.compile(r"Apache (?:Server Status for|Server Information)")),
    ("the environment of Spring", re.compile(r'\A\s*\{.*"propertySources"', re.DOTALL)),
    ("a dump of memory", re.compile(r"\AJAVA PROFILE 1\.")),
    ("profiles of Go", re.compile(r"Types of profiles available:|\"memstats\":")),
    ("passwords", re.compile(r"\A[\w.-]+:(?:\$(?:apr1|2[aby])\$|\{SHA\})")),
    ("credentials", re.compile(r"(?m)^\s*(?:aws_secret_access_key|//\S+:_authToken)\s*=")),
    (
        "settings of the application",
        re.compile(r"(?m)^\s*SECRET_KEY\s*=|define\(\s*'DB_PASSWORD'|<connectionStrings>|\"ConnectionStrings\"\s*:"),
    ),
    (
        "how the service is run",
        re.compile(r"(?m)\A(?:version: .*\n)?\s*services:\s*\n(?:.*\n)*?\s+(?:image|build):|\AFROM \S+\s*\n"),
    ),
)


def recognise_exposed(body: str, content_type: str) -> str:
    """Return what an answer shows that is no page of the application's, or nothing; by what it says, not by its place.

    An application of one page that answers it everywhere shows nothing.
    """
    found = next((what for what, pattern in _SHOWN if pattern.search(body)), "")
    if found or "html" in content_type or body.lstrip()[:1] in {"<", "{", "["}:
        return found
    return "variables of an environment" if _ENVIRONMENT.search(body) else ""
