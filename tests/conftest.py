from hypothesis import HealthCheck, settings

# For the tests of the plugin; pytest takes it from the top-most conftest only.
pytest_plugins = ["pytester"]

# One profile everywhere, so that a failure on a CI server is the failure on the desk, and no slow machine is one.
settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")
