"""The HTML report, as a person uses it in a browser."""

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from payproof.domain.events import ProblemsFound
from payproof.domain.problem import ProblemStatus
from payproof.reporters import RECORDED_FORMATS
from tests.components import npm_packages
from tests.reports.made_runs import HOSTILE, SPOKEN, make_events, make_hostile_events, make_problems, write_report

EVENTS = make_events(100)
(PROBLEMS,) = [event.problems for event in EVENTS if isinstance(event, ProblemsFound)]


def shown(page, selector):
    """Return the texts of the elements that a person sees."""
    return [one.inner_text() for one in page.locator(selector).all() if one.is_visible()]


def wait_until(page, condition):
    """Wait for a condition of the page; Playwright's own way evaluates text in the page, which its policy refuses."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    pytest.fail(f"never: {condition}; {page.locator('#shown').inner_text()}")


def open_part(summary):
    """Open a part of the page; what is in it is made after the browser has told of the opening, not at the click."""
    summary.click()
    summary.locator("xpath=following-sibling::*").first.wait_for()


def open_everything(page):
    """Open each part of the page, and then each part that this has made."""
    closed = "[...document.querySelectorAll('details:not([open])')].map((one) => { one.open = true; }).length"
    while page.evaluate(closed):
        page.wait_for_timeout(50)


def test_opens_with_the_problems_first(open_page):
    """The page says how many problems there are, and of each where, what was seen, how to repeat it, and its cases."""
    page = open_page(EVENTS)
    new = sum(one.status is ProblemStatus.NEW for one in PROBLEMS)
    assert page.locator("h1").inner_text() == f"{new} problems"
    assert page.title() == f"{new} problems - Payproof on billing.test"
    first = page.locator(".problem").first
    for part in ("critical", "POST /hook, 2xx", "payproof run --target", "#", "Copy"):
        assert part in first.inner_text()
    assert [one.get_attribute("id") for one in page.locator(".problem").all()] == [
        f"problem-{one.problem.fingerprint}" for one in PROBLEMS
    ]
    assert (
        page.evaluate("document.querySelector('#problems').compareDocumentPosition(document.querySelector('#cases'))")
        & 4
    )


def test_problem_tells_its_story_and_cases(open_page):
    """What was sent, answered and seen opens below a problem, and each of its cases leads to what was seen there."""
    page = open_page(EVENTS)
    first = page.locator(".problem").first
    open_part(first.locator("summary", has_text="What was sent"))
    assert "answered 400" in first.locator(".story").inner_text()
    open_part(first.locator("summary", has_text="case").last)
    cases = first.locator(".ids a")
    assert cases.count() == len(PROBLEMS[0].problem.cases)
    cases.last.click()
    case = page.locator(".case[open]")
    case.locator("summary ~ *").first.wait_for()
    assert case.locator("summary code").inner_text() == PROBLEMS[0].problem.cases[-1]
    assert f"1. {PROBLEMS[0].problem.title}" in case.inner_text()
    assert case.locator("summary").evaluate("one => one === document.activeElement")


def test_filters(open_page):
    """Severity, topic, status of problems and verdict of cases leave what fits, and say how much that is."""
    page = open_page(make_problems(8, (ProblemStatus.NEW, ProblemStatus.WAIVED)))
    page.select_option("#severity", "high")
    wait_until(page, "document.querySelector('#shown').textContent.startsWith('Shown: 2 of 8')")
    assert {one.split("\n")[0].split()[0] for one in shown(page, ".problem")} == {"high"}
    page.click("button[type=reset]")
    page.select_option("#status", "waived")
    wait_until(page, "document.querySelector('#shown').textContent.startsWith('Shown: 4 of 8')")
    assert all("waived: as agreed" in one for one in shown(page, ".problem"))
    page.select_option("#severity", "low")
    wait_until(page, "document.querySelector('#shown').textContent.startsWith('Shown: 0 of 8')")
    assert page.locator("#no-problem").is_visible()


def test_filters_of_cases(open_page):
    """A topic and a verdict leave the cases that have both."""
    page = open_page(EVENTS)
    page.select_option("#topic", "data_at_rest")
    page.select_option("#verdict", "skipped")
    wait_until(page, "!document.querySelector('#shown').textContent.includes(' 100 of')")
    assert [one.inner_text() for one in page.locator("#groups h3").all()] == ["data at rest"]
    open_part(page.locator(".group summary").first)
    words = {one.inner_text() for one in page.locator(".case .word").all()}
    assert words == {"not judged"}


def test_search(open_page):
    """What is typed is looked for in problems, and in all that is told of a case, such as an id in its log."""
    page = open_page(EVENTS)
    page.fill("#query", "evt_42")
    wait_until(page, "document.querySelector('#shown').textContent.endsWith(' 1 of 100 cases.')")
    page.fill("#query", "no such thing")
    wait_until(page, "document.querySelector('#shown').textContent.endsWith(' 0 of 100 cases.')")
    assert page.locator("#groups").inner_text() == "No case is like that."


def test_requirement_leads_to_its_cases(open_page):
    """A requirement in the matrix shows the cases that judge it; the matrix counts them by verdict."""
    page = open_page(EVENTS)
    row = page.locator("tr", has=page.get_by_role("button", name="PCI DSS 3.3.1", exact=True))
    counted = [int(one) for one in row.locator(".number").all_inner_texts() if one]
    row.locator("button").click()
    told = page.locator("#shown").inner_text()
    assert int(re.search(r"(\d+) of 100 cases", told)[1]) == sum(counted)


@pytest.mark.parametrize("seen_by", ["case", "problem"])
def test_deep_link(open_page, seen_by):
    """A link to a case or a problem opens there, also where it stands far below."""
    if seen_by == "case":
        id_ = "error_handling/disclosure[93]"
        page = open_page(EVENTS, f"#case-{quote(id_)}")
        place = page.locator(".case[open]")
        assert place.locator("summary code").inner_text() == id_
    else:
        fingerprint = PROBLEMS[-1].problem.fingerprint
        page = open_page(EVENTS, f"#problem-{fingerprint}")
        place = page.locator(f"#problem-{fingerprint}")
    box = place.bounding_box()
    assert 0 <= box["y"] < page.viewport_size["height"]


def test_deep_link_beats_the_filters(open_page):
    """A link that is followed while filters hide what it leads to shows that."""
    page = open_page(EVENTS)
    page.fill("#query", "no such thing")
    wait_until(page, "document.querySelector('#shown').textContent.startsWith('Shown: 0')")
    page.evaluate(f"location.hash = 'problem-{PROBLEMS[0].problem.fingerprint}'")
    wait_until(page, "!document.querySelector('.problem').hidden")
    assert page.locator("#query").input_value() == ""


def test_link_to_nothing_does_nothing(open_page):
    """A fragment that names nothing, or is broken, leaves the page as it is."""
    page = open_page(EVENTS, "#case-%E0%A4%A")
    page.evaluate("location.hash = 'case-none/such[1]'")
    assert page.locator(".problem").first.is_visible()


def test_prints(open_page):
    """On paper everything of a problem is told, and no button is there."""
    page = open_page(EVENTS)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(".problem .story").first.is_visible()
    assert not shown(page, "button:not(.find)")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.pdf().startswith(b"%PDF")
    assert page.locator(".problem details[open]").count() == 0


def test_copies_the_command(open_page):
    """The button beside a command puts it into the clipboard."""
    page = open_page(EVENTS, permissions=["clipboard-read", "clipboard-write"])
    page.locator(".problem .copy").first.click()
    wait_until(page, "document.querySelector('#said').textContent === 'Copied.'")
    assert page.evaluate("navigator.clipboard.readText()") == PROBLEMS[0].problem.repeat


def test_colours_follow_the_system_or_the_choice(open_page):
    """The page is dark where the system is, and as its button says where that was pressed."""
    page = open_page(EVENTS, color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.click("#theme")
    assert page.locator("#theme").inner_text() == "Colours: light"
    light = page.evaluate(paper)
    assert (dark, light) == ("rgb(22, 22, 24)", "rgb(255, 255, 255)")
    page.reload()
    assert page.evaluate(paper) == light


def test_works_by_keyboard(open_page):
    """Everything that opens is reached by Tab and opened by Enter; the first link skips to the problems."""
    page = open_page(EVENTS)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the problems"
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    assert page.locator(".problem details[open]").count() == 1


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off(open_page, width, scheme):
    """On a wide screen and on a telephone the page is not wider than the window, even with everything open."""
    for events in (EVENTS, make_hostile_events()):
        page = open_page(events, color_scheme=scheme, viewport={"width": width, "height": 900})
        open_everything(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(open_page, scheme):
    """Nothing is found by axe, with everything closed and with everything open."""
    axe = (npm_packages("axe", Path(__file__).parent / "axe") / "axe-core" / "axe.min.js").read_text()
    page = open_page(EVENTS, color_scheme=scheme, bypass_csp=True)
    page.evaluate(axe)

    def find():
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return {one["id"]: one["nodes"][0]["html"] for one in found}

    assert find() == {}
    open_everything(page)
    assert find() == {}
    # It does look: what a person could not use is found.
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    assert set(find()) == {"label"}


def test_injected_script_does_not_run(open_page):
    """The page's policy runs no script but its own: none in markup, in an attribute, or by an address."""
    page = open_page(EVENTS, expected=["Content Security Policy", "Trusted"])
    page.evaluate(
        """() => {
            const own = document.createElement('script');
            own.append('window.ran = 1');
            try { document.body.append(own); } catch {}
            try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran = 2">'); } catch {}
            const image = document.createElement('img');
            image.src = 'https://127.0.0.1:9/x.png';
            document.body.append(image);
            const link = document.createElement('a');
            link.href = 'javascript:window.ran = 3';
            document.body.append(link);
            link.click();
        }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    assert page.locator("img").evaluate("one => one.naturalWidth") == 0


def test_policy_is_strict():
    """Nothing may be loaded, and no style or script used that the page does not name by its digest."""
    page = write_report(RECORDED_FORMATS["html"], EVENTS)
    policy = dict(
        part.split(" ", 1) for part in re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].split("; ")
    )
    assert policy["default-src"] == "&#39;none&#39;"
    assert all(policy[name].startswith("&#39;sha256-") for name in ("style-src", "script-src"))
    assert "unsafe" not in str(policy)
    assert re.findall(r'\b(?:src|on\w+|style)="', page) == []


def test_whatever_a_target_says_is_text(open_page):
    """Markup, scripts, steering characters and megabytes of a target are text, whole or cut, and do nothing."""
    page = open_page(make_hostile_events())
    open_everything(page)
    for place in (*page.locator(".problem").all(), *page.locator(".case").all()):
        assert SPOKEN in place.inner_text()
    assert page.title().endswith(HOSTILE[0])
    assert page.locator("img, iframe, b, script:not(#data)").count() == 1
    assert page.locator("a:not([href^='#'])").count() == 0
    said = page.locator("body").inner_text()
    for part in ("<b>bold</b>", "{{ 7 * 7 }}", "&amp; &lt;", "\\u202egnp.exe", "\\x1b[2J", "more characters)"):
        assert part in said
    assert not {"\x00", "\x07", "\x1b", "\u202e", "\u2066", "\u2028", "\ufeff"} & set(said)


def test_size_is_bounded_by_the_number_of_cases():
    """Megabytes that a target says do not make the page large."""
    assert len(write_report(RECORDED_FORMATS["html"], make_hostile_events())) < 300_000


def test_data_ends_no_script():
    """The data of the page holds no angle bracket: no reader finds the end of its script, or a comment, in it."""
    page = write_report(RECORDED_FORMATS["html"], make_hostile_events())
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1]
    assert data.isascii()
    assert not {"<", ">", "&", "\n"} & set(data)
    assert len(json.loads(data)["cases"]) == len(HOSTILE)


def test_problems_are_whole_without_a_script(browser, tmp_path):
    """A browser without scripts shows the problems, and says that cases are not shown."""
    file = tmp_path / "report.html"
    file.write_text(write_report(RECORDED_FORMATS["html"], EVENTS))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator(".problem").count() == len(PROBLEMS)
    assert "does not run" in page.locator("noscript").inner_text()
    assert not page.locator("#filters").is_visible()
    context.close()
