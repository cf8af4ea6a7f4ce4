"""Pages in Debian's Chromium, without a window."""

import shutil
from contextlib import ExitStack, contextmanager

import pytest
from playwright.sync_api import sync_playwright

from payproof.reporters import RECORDED_FORMATS
from tests.components import need
from tests.reports.made_runs import write_report


@pytest.fixture(scope="module")
def browser():
    """A Chromium that is there on the machine.

    Not of the session: while it is open, this thread has an event loop, in which other tests could not run theirs.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    need("chromium", program is not None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Open the page of a run, at a fragment if one is named; at the end no error was told and nothing was asked for."""
    with ExitStack() as stack:
        yield lambda events, fragment="", **options: stack.enter_context(
            _opened(browser, tmp_path, events, fragment, options)
        )


@contextmanager
def _opened(browser, folder, events, fragment, options):
    file = folder / "report.html"
    file.write_text(write_report(RECORDED_FORMATS["html"], events))
    expected = options.pop("expected", [])
    told, asked = [], []
    context = browser.new_context(**options)
    page = context.new_page()
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 (it wants a function)
    page.goto(file.as_uri() + fragment)
    assert page.evaluate("performance.getEntriesByName('payproof-ready').length") == 1
    yield page
    context.close()
    assert [one for one in told if not any(part in one for part in expected)] == []
    # A request that the page's policy stopped is none.
    assert {one.url.partition("#")[0] for one in asked if one.failure != "csp"} == {file.as_uri()}
