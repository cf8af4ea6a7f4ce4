"""Settings of hypothesis that keep nothing and say nothing."""

from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, settings

__all__ = ["make_settings"]


def make_settings(examples: int, **more: Any) -> settings:
    """Return the settings of a search of so many examples, which makes small what it finds; ``more`` are others."""
    return settings(
        max_examples=examples,
        database=None,  # it would keep what was sent in a folder
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        **more,
    )
