"""What a remedy consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payproof.domain.channel import Channel

__all__ = ["FRAMEWORKS", "SDKS", "Remedy"]

#: How the frameworks that a target file may name call themselves.
FRAMEWORKS: Mapping[str, str] = {
    "django": "Django",
    "express": "Express",
    "fastapi": "FastAPI",
    "flask": "Flask",
    "hono": "Hono",
    "laravel": "Laravel",
    "net_http": "Go net/http",
    "nextjs": "Next.js",
    "rails": "Rails",
    "spring": "Spring Boot",
}

#: The same for Stripe's libraries.
SDKS: Mapping[str, str] = {
    "dotnet": "stripe-dotnet",
    "go": "stripe-go",
    "java": "stripe-java",
    "node": "stripe-node",
    "php": "stripe-php",
    "python": "stripe-python",
    "ruby": "stripe-ruby",
}


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to change: in general, and the one line of a framework, or else of an SDK, that does it.

    ``by_channel`` stands in place of all else where a finding was made in that channel.
    """

    text: str
    frameworks: Mapping[str, str] = field(default_factory=dict)
    sdks: Mapping[str, str] = field(default_factory=dict)
    by_channel: Mapping[Channel, "Remedy"] = field(default_factory=dict)

    def tell(self, channel: Channel, framework: str, sdk: str) -> str:
        """Return it in words, for one channel, one framework and one SDK."""
        here = self.by_channel.get(channel, self)
        if framework in here.frameworks:
            return f"{here.text} {FRAMEWORKS[framework]}: {here.frameworks[framework]}"
        if sdk in here.sdks:
            return f"{here.text} {SDKS[sdk]}: {here.sdks[sdk]}"
        return here.text
