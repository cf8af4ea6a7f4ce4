"""Every forgery of the catalogue's webhook_signature section; a file of this package holds one kind of them."""

import importlib
import pkgutil
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import chain
from types import MappingProxyType

from payproof.errors import ConfigurationError
from payproof.stripe.forgery import Delivery, Forgery, Material

__all__ = ["FORGERIES", "forge", "forgery_named"]


def _discover() -> dict[str, Forgery]:
    found: dict[str, Forgery] = {}
    for file in pkgutil.iter_modules(__path__):
        for forgery in importlib.import_module(f"{__name__}.{file.name}").FORGERIES:
            if forgery.name in found:
                raise ConfigurationError(f"two forgeries are named {forgery.name!r}")
            found[forgery.name] = forgery
    return found


FORGERIES: Mapping[str, Forgery] = MappingProxyType(_discover())


def forgery_named(name: str) -> Forgery:
    """Return a forgery by its name; the name of a scenario means its first case.

    Raises:
        ConfigurationError: there is no such forgery.
    """
    full = name if name in FORGERIES else next((known for known in FORGERIES if known.startswith(f"{name}.")), None)
    if full is None:
        scenarios = {known.partition(".")[0] for known in FORGERIES}
        near = get_close_matches(name, chain(FORGERIES, sorted(scenarios)), n=3)
        hint = (
            "did you mean " + " or ".join(map(repr, near)) + "?" if near else "known: " + ", ".join(sorted(scenarios))
        )
        raise ConfigurationError(f"there is no forgery {name!r}", hint=hint)
    return FORGERIES[full]


def forge(name: str, material: Material) -> Delivery:
    """Return the delivery of a forgery by its name.

    Raises:
        ConfigurationError: there is no such forgery, or the material lacks what it needs.
    """
    return forgery_named(name).forge(material)
