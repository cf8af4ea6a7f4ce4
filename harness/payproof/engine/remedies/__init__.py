"""How each kind of problem is mended, in the words of an engineer, with the framework's or the SDK's own line.

One file holds the remedies of kinds that belong together. The lines are those of the versions in use in 2026.
"""

from collections.abc import Mapping

from payproof.domain.channel import Channel
from payproof.engine.remedies.access import ACCESS
from payproof.engine.remedies.calls import CALLS
from payproof.engine.remedies.data import DATA
from payproof.engine.remedies.deliveries import DELIVERIES
from payproof.engine.remedies.failures import FAILURES
from payproof.engine.remedies.remedy import Remedy
from payproof.engine.remedies.told import TOLD

__all__ = ["REMEDIES", "find_remedy"]

#: By kind, and so for each kind of ``payproof.domain.kind``.
REMEDIES: Mapping[str, Remedy] = {**ACCESS, **DELIVERIES, **FAILURES, **CALLS, **DATA, **TOLD}


def find_remedy(kind: str, channel: Channel, framework: str, sdk: str | None) -> str:
    """Return one or two sentences; with a line for the framework or the SDK where there is one.

    An unknown kind has none, and an unknown framework or SDK no line.
    """
    remedy = REMEDIES.get(kind)
    return remedy.tell(channel, framework, sdk or "") if remedy is not None else ""
