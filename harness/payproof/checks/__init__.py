"""The checks: one file for each, named as the check is named in scenarios.

``payproof.domain.check`` says what a check gets and returns. To add one, write a frozen dataclass that derives from
``Check`` and decorate it with ``@check``. The registry finds the file by itself; so do the scenario language, the
printed JSON Schema and the judge. A scenario that uses the check and a planted defect that trips it prove it.

A check yields a ``Finding`` for each thing that does not hold: what was expected, what was seen, and in which step. It
leaves out what it cannot know. Where a request got no answer, the judge already makes an unknown of the case, so a
check looks at ``Answer`` only. It quotes no value that the run conceals: observations hold none.
"""
