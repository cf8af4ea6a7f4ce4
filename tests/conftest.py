from hypothesis import HealthCheck, settings

from tests.hostile.measured import table

# For the tests of the plugin; pytest takes it from the top-most conftest only.
pytest_plugins = ["pytester"]

# One profile everywhere, so that a failure on a CI server is the failure on the desk, and no slow machine is one.
settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")


def pytest_terminal_summary(terminalreporter):
    """Print the tables that tests made, which the processes that ran them cannot print."""
    measured = []
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for name, value in getattr(report, "user_properties", []):
            if name == "table" and report.when == "call":
                terminalreporter.section(report.nodeid.rpartition("::")[2])
                terminalreporter.write_line(value)
            elif name == "measured" and report.when == "call":
                measured.append(value)
    if measured:
        terminalreporter.section("hostile input")
        terminalreporter.write_line(table(sorted(measured)))
