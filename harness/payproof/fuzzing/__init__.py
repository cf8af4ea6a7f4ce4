"""Making up requests by the thousand: hypothesis and schemathesis make them, the session's client sends them.

The modules `openapi` and `routes` need the extra ``fuzz``; steps import them when they run.
"""
