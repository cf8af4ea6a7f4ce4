"""Drives the double by calls alone, as a client would, with nothing between."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from payproof.adapters.data import data_folder
from payproof.stripe.api import ApiAnswer, ApiRequest
from payproof.stripe.double import Double
from payproof.stripe.form import encode

__all__ = ["API_KEY", "CANARIES", "NEWEST", "OLDEST", "Clock", "Driver"]

API_KEY = "sk_" + "test_" + "double"
OLDEST, NEWEST = "2022-11-15", "2026-08-26.dahlia"
CANARIES = {
    "name": "Payer Name",
    "email": "payer@example.test",
    "phone": "+15550000001",
    "address": "1 Payer Street",
    "description": "Payer description",
    "metadata": "payer metadata",
    "client_secret": "unused",
}


_IDS = re.compile(r'"([a-z]{2,8})_((?:test_)?[A-Za-z0-9]{14,})"')


@dataclass
class Clock:
    """A clock that only a test moves; seconds since 1970."""

    now: float = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Driver:
    """A double and the calls to it; ``called`` has each call with its answer."""

    api_version: str = NEWEST
    card: str | None = None
    clock: Clock = field(default_factory=Clock)
    secrets: list[tuple[str, str]] = field(default_factory=list)
    called: list[tuple[ApiRequest, ApiAnswer]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._read, self._shown = 0, {}
        self.double = Double(
            data_folder("fixtures"),
            clock=self.clock,
            seed=1,
            api_version=self.api_version,
            card=self.card,
            canaries=CANARIES,
            tell=lambda kind, value: self.secrets.append((kind, value)),
        )

    def request(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> ApiRequest:
        """Return a call with a key."""
        form = encode(params)
        given = {"authorization": f"Bearer {API_KEY}"} | dict(headers or {})
        body = form.encode() if method == "POST" else b""
        return ApiRequest(method, path, "" if method == "POST" else form, given, body)

    def send(self, name: str, headers: Mapping[str, str] | None = None, /, **params: Any) -> ApiAnswer:
        """Send a call such as ``POST /v1/customers`` and return its answer."""
        method, _, path = name.partition(" ")
        request = self.request(method, path, params, headers)
        answer = self.double.answer(request)
        self.called.append((request, answer))
        return answer

    def __call__(self, name: str, headers: Mapping[str, str] | None = None, /, **params: Any) -> dict[str, Any]:
        """Send a call that must succeed, and return its object."""
        answer = self.send(name, headers, **params)
        assert answer.status == 200, (name, answer.body)
        found: dict[str, Any] = answer.json()
        return found

    def refused(self, name: str, headers: Mapping[str, str] | None = None, /, **params: Any) -> tuple[int, Any]:
        """Send a call that must be refused, and return status and error."""
        answer = self.send(name, headers, **params)
        assert answer.status >= 400, (name, answer.body)
        return answer.status, json.loads(answer.body)["error"]

    def shown(self, prefix: str) -> list[str]:
        """Return the ids with a prefix that the answers have shown, in the order of their first showing."""
        for _, answer in self.called[self._read :]:
            for known, rest in _IDS.findall(answer.body.decode()):
                self._shown.setdefault(known, {})[f"{known}_{rest}"] = None
        self._read = len(self.called)
        return list(self._shown.get(prefix, ()))

    def events(self) -> list[str]:
        """Take the events, and return their types."""
        return [event.type for event in self.double.take_events()]
