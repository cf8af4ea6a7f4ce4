"""The steps: one file for each, named as the step is named in scenarios.

``payproof.domain.step`` says what a step gets and returns, and ``payproof.domain.context`` what it may touch. To add
one, write a frozen dataclass that derives from ``Step`` and decorate it with ``@step``. The registry finds the file by
itself; so do the scenario language and the printed JSON Schema. A scenario that uses the step proves it.

A step takes all that is random from ``context.random``, so that a run with the same seed does the same. It registers
each secret that it makes up by ``context.canaries`` before the value is sent. It returns what it saw also where that is
bad: whether it is wrong is for the checks to say.
"""
