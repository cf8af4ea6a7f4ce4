"""Lines as the loggers of many languages write them, each filled in anew: for the property tests of shapes."""

import json
import string
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from random import Random

__all__ = ["NAMES", "PATHS", "TEMPLATES", "Filling"]

_BASE62 = string.ascii_letters + string.digits
_PREFIXES = ("evt", "cus", "pi", "sub", "in", "ch", "pm", "price", "acct", "req", "si", "seti", "cs_test")
_TYPES = ("invoice.paid", "customer.subscription.updated", "charge.refunded", "checkout.session.completed")
_WORDS = ("Jane Doe", "it is late", "Müller & Sons", "O'Neil", "4 boxes", "a, b; c", "(none)", "x=y", "[a]")


class Filling:
    """The values of one line, by name: ``Filling(7)["uuid"]`` is another one each time."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.used: list[str] = []

    def __getitem__(self, name: str) -> str:
        value = str(getattr(self, f"_{name}")())
        self.used.append(value)
        return value

    def _draw(self, most: int, letters: str = _BASE62) -> str:
        return "".join(self._random.choices(letters, k=most))

    def _at(self) -> datetime:
        zone = timezone(timedelta(hours=self._random.choice((0, 2, -5))))
        return datetime(2026, 1, 1, tzinfo=zone) + timedelta(seconds=self._random.randrange(10**8))

    def _id(self) -> str:
        return f"{self._random.choice(_PREFIXES)}_{self._draw(self._random.choice((14, 24)))}"

    def _letters(self) -> str:
        return self._draw(self._random.choice((14, 24)))

    def _type(self) -> str:
        return self._random.choice(_TYPES)

    def _n(self) -> int:
        return self._random.randrange(10 ** self._random.randrange(1, 12))

    def _signed(self) -> int:
        return self._random.randrange(-1000, 1000)

    def _took(self) -> str:
        return self._random.choice(("12ms", "1.2s", "1m3.5s", "845.2µs", "0.004", "12.50 ms", "3 ms"))

    def _span(self) -> str:
        return self._random.choice(("12ms", "1.2s", "1m3.5s", "845.2µs"))

    def _status(self) -> str:
        status = self._random.choice([one for one in HTTPStatus if one >= HTTPStatus.OK])
        return f"{status.value} {status.phrase}"

    def _code(self) -> int:
        return self._random.choice((200, 204, 302, 400, 404, 500, 503))

    def _uuid(self) -> str:
        parts = (self._draw(size, string.hexdigits[:16]) for size in (8, 4, 4, 4, 12))
        return "-".join(parts)

    def _hex(self) -> str:
        return self._draw(self._random.choice((12, 32, 64)), string.hexdigits[:16])

    def _address(self) -> str:
        return f"0x{self._draw(12, string.hexdigits[:16])}"

    def _email(self) -> str:
        return f"{self._draw(6)}.{self._draw(4)}+tag@mail.{self._draw(5, string.ascii_lowercase)}.example"

    def _words(self) -> str:
        return self._random.choice(_WORDS)

    def _long(self) -> str:
        return self._draw(self._random.choice((3000, 6000))) + ' "and" ' + self._email()

    def _ip(self) -> str:
        return self._random.choice((f"10.{self._code()}.0.7", "127.0.0.1", "::1", "2001:db8::8a2e:370:7334"))

    def _port(self) -> int:
        return self._random.randrange(1024, 65536)

    def _host(self) -> str:
        return self._random.choice(("localhost", "db.internal", "eu-1.billing.example", "127.0.0.1"))

    def _machine(self) -> str:
        return self._random.choice(("web", "ip-10-0-0-1", "box.local", "vm42"))

    def _path(self) -> str:
        return self._random.choice(
            (f"/tmp/tmp{self._draw(8)}/body.json", f"/home/{self._draw(5)}/app/x", "/srv/app/log/app.log")
        )

    def _url(self) -> str:
        return f"https://{self._host()}/hook?{self._draw(8)}={self._n()}"

    def _dsn(self) -> str:
        return f"postgresql://{self._draw(5)}@{self._host()}:{self._port()}/billing"

    def _object(self) -> dict[str, object]:
        inner = {"object": {"email": self._email(), "name": self._words(), "lines": [{"n": self._n()}, {}], "a": []}}
        keys = ("id", "type", "data", "livemode", "note")
        values = (self._id(), self._type(), inner, False, "a } in a ' text \" \\ {")
        return dict(list(zip(keys, values, strict=True))[: self._random.randrange(1, 6)])

    def _json(self) -> str:
        return json.dumps(self._object())

    def _python(self) -> str:
        return repr(self._object())

    def _ruby(self) -> str:
        return f'{{"id"=>"{self._id()}", "data"=>{{"email"=>"{self._email()}", "lines"=>[{{"n"=>{self._n()}}}]}}}}'

    def _go(self) -> str:
        return f"&{{ID:{self._id()} Email:{self._email()} Data:map[name:{self._draw(4)} n:{self._n()}]}}"

    def _list(self) -> str:
        return repr([self._words() for _ in range(self._random.randrange(1, 4))])

    def _maybe(self) -> str:
        return self._random.choice(
            (self._id(), "None", "null", "undefined", "[email: receipt_email]", "True", self._partly())
        )

    def _partly(self) -> str:
        return self._random.choice(("[card number: metadata 3]@mail.example", "a.[name: customer]x@mail.example"))

    def _concealed(self) -> str:
        return self._random.choice(("[name: customer name]", "[email: receipt_email]", "[card number: metadata 3]"))

    def _iso(self) -> str:
        return self._at().isoformat(timespec=self._random.choice(("seconds", "milliseconds", "microseconds")))

    def _zulu(self) -> str:
        return f"{self._at():%Y-%m-%dT%H:%M:%S}.{self._random.randrange(1000):03}Z"

    def _comma(self) -> str:
        return f"{self._at():%Y-%m-%d %H:%M:%S},{self._random.randrange(1000):03}"

    def _plain(self) -> str:
        return f"{self._at():%Y-%m-%d %H:%M:%S}"

    def _slashes(self) -> str:
        return f"{self._at():%Y/%m/%d %H:%M:%S}"

    def _zoned(self) -> str:
        return f"{self._at():%Y-%m-%d %H:%M:%S %z}"

    def _syslog(self) -> str:
        at = self._at()
        return f"{at:%b} {at.day:2} {at:%H:%M:%S}"

    def _clf(self) -> str:
        return f"{self._at():%d/%b/%Y:%H:%M:%S %z}"

    def _flask(self) -> str:
        return f"{self._at():%d/%b/%Y %H:%M:%S}"

    def _asctime(self) -> str:
        return f"{self._at():%a %b %d %H:%M:%S} 2026"

    def _apache(self) -> str:
        return f"{self._at():%a %b %d %H:%M:%S}.{self._n()} 2026"

    def _http_date(self) -> str:
        return f"{self._at():%a, %d %b %Y %H:%M:%S} GMT"

    def _catalina(self) -> str:
        return f"{self._at():%d-%b-%Y %H:%M:%S}.123"

    def _american(self) -> str:
        return f"{self._at():%m/%d/%Y, %I:%M:%S %p}"

    def _date(self) -> str:
        return self._random.choice((f"{self._at():%Y-%m-%d}", f"{self._at():%Y%m%d}", f"{self._at():%Y-%m-%d_%H-%M}"))

    def _temporary(self) -> str:
        return "tmp" + self._draw(8, string.ascii_lowercase + string.digits + "_")

    def _epoch(self) -> int:
        return self._random.randrange(10**12, 2 * 10**12)


#: What a program writes, with the names of what it fills in; the words of no two are the same.
TEMPLATES = (
    # logging, structlog and web servers of Python
    "{comma} INFO app.views: event {id} for {id} ({email}) took {took}",
    "INFO:app:kept {maybe} of {maybe} ({maybe}) and [{maybe}]",
    "INFO:app:event {id} for [name: customer] <{email}>",
    "ERROR:root:Signature of {id} is wrong: {words!r}",
    "{comma} [{n}] [Thread-{n}] WARNING billing.jobs job {uuid} retried {n} times",
    "{zulu} [info     ] event applied                  customer={id} email={email} type={type}",
    "{plain} [warning  ] refused                        cause='no signature' ip={ip}",
    '{ip}:{port} - "POST /webhook HTTP/1.1" {status} by uvicorn',
    '{ip} - - [{flask}] "POST /webhook HTTP/1.1" {code} - werkzeug',
    "[{zoned}] [{n}] [INFO] Booting worker with pid: {n}",
    "payload of the view: {python}",
    "payload {json} stored",
    "payload {json} dropped (no customer)",
    "customers {list} mailed",
    "<stripe.Event object at {address}> handled by {path}",
    "can't apply {id}, it's for {concealed}",
    "Decoded '{words}' of the charge",
    "read '{long}' in the body",
    "connect to {host}:{port} failed after {took}",
    "connected to {dsn}",
    "fetched {url} in {took}",
    # JSON lines
    '{{"event": "taken {id}", "level": "info", "timestamp": "{zulu}", "customer": "{id}", "email": "{email}"}}',
    '{{"level": 30, "time": {epoch}, "pid": {n}, "hostname": "{machine}", "msg": "pino took it", "body": {json}}}',
    '{{"level": "info", "message": "winston took {id}", "timestamp": "{zulu}", "meta": {json}}}',
    '{{"level": "info", "ts": {epoch}.{n}, "caller": "billing/hook.go:{n}", "msg": "zap took it", "id": "{id}"}}',
    '{{"@timestamp": "{zulu}", "message": "logback took {id}", "logger_name": "c.e.Hook", "level_value": {n}}}',
    '{{"time": "{zulu}", "level": "INFO", "msg": "slog took it", "email": "{email}", "id": "{id}"}}',
    '{{"message": "monolog took it", "context": {json}, "level": 200, "level_name": "INFO", "channel": "billing"}}',
    '{{"@t": "{zulu}", "@mt": "Serilog took {{Id}}", "Id": "{id}"}}',
    # Java
    "{zulu}  INFO {n} --- [nio-8080-exec-{n}] c.e.billing.WebhookController : applied {id} for {id}",
    "{catalina} SEVERE [main] org.apache.catalina.core.StandardContext.start gave up after {took}",
    # PHP
    "[{plain}] production.INFO: laravel took an event {json} []",
    "[{iso}] local.ERROR: No such customer: {id} {json}",
    # Ruby
    "I, [{zulu} #{n}]  INFO -- : [{uuid}] sidekiq took {id}",
    "I, [{zulu} #{n}]  INFO -- : [{uuid}] Completed {status} in {n}ms (ActiveRecord: {took} | Allocations: {n})",
    '[{uuid}] Started POST "/webhook" for {ip} at {zoned}',
    "[{uuid}]   Parameters: {ruby}",
    # Go
    'time={zulu} level=INFO msg="event kept" id={id} email={email} n={signed}',
    'time={zulu} level=INFO msg="event dropped" id={id} name="{uuid}" took={span}',
    "time={zulu} level=WARN msg=late id={id}",
    "{slashes} main.go:{n}: charged {id} with {n}",
    "got {go} from the queue",
    # Node
    "POST /webhook {code} {took} - {n}",
    "[{american}] Nest took {id}",
    # servers and systems
    '{ip} - - [{clf}] "POST /webhook HTTP/1.1" {code} {n} "-" "Stripe/1.0 (+https://stripe.com/docs/webhooks)"',
    "[{apache}] [error] [pid {n}] worker of {ip} left",
    '{slashes} [error] {n}#{n}: *{n} upstream timed out, client: {ip}, host: "{host}"',
    "{syslog} {machine} billing[{n}]: taken from the queue: {id}",
    "<34>1 {zulu} {machine} billing {n} - - journal of {id}",
    "{asctime} cron ran for {took}",
    "{http_date} mail to {email}",
    "{epoch} digest {hex} of {n} rows, off by {signed}",
)

#: Paths of routes, with what is filled in.
PATHS = (
    "/customers/{id}",
    "/orders/{n}/lines/{n}",
    "/jobs/{uuid}",
    "/users/{email}/invoices",
    "/v1/payment_intents/{id}/confirm",
    "/v1/payment_methods/{id}/attach",
    "/api/v2/digests/{hex}",
)

#: Names of files that a program makes anew.
NAMES = (
    "{uuid}.json",
    "event-evt_{letters}.json",
    "billing-{date}.log.gz",
    "dump_{epoch}.sql",
    "billing.log.{n}",
    "{temporary}",
)
