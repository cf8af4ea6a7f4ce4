"""The engine: runs one case on a target, and judges what was seen.

``runner`` runs the control and then the steps, within the case's budget. ``trial`` acts and looks: it remembers the
state of every source before a step and reads what has changed after it. ``context`` is what a step may touch. What
comes of a case is a ``Record`` of observations, and ``judge``, which is pure, makes a verdict of it. ``equipment`` is
what the session hands in; ``ports`` says what each piece of it must be able to do.
"""
