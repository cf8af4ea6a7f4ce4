"""Frameworks and Stripe libraries are known by what they answer, as real ones do."""

from pathlib import Path

import pytest

from payproof.domain.observation import Answer
from payproof.session.recognition import LANGUAGES, recognise

PAGES = Path(__file__).parents[2] / "fixtures" / "corpora" / "error_pages"
#: Frameworks by how the names of their pages begin; what is built on another one, or has no sign, is not in the list.
MADE_BY = {
    "django": "django",
    "express": "express",
    "fastapi": "fastapi",
    "flask": "flask",
    "go": "net_http",
    "hono": "hono",
    "nest": "nestjs",
    "next": "nextjs",
    "spring": "spring",
}
#: Answers of the real frameworks to somebody who asks for what is missing.
TELLING = [
    "django_debug_404", "django_production_404", "django_production_403_csrf", "express_development_404",
    "express_production_404", "express_production_400_json", "fastapi_production_404", "fastapi_production_405",
    "fastapi_production_422", "flask_production_404", "flask_production_405", "go_404", "hono_default_404",
    "nest_default_404", "next_development_404", "next_production_500", "spring_default_404_html",
    "spring_default_500_json",
]  # fmt: skip
# Rails and Laravel are not on the machines that make the corpus. These are what their sources say they answer:
# rails/rails railties/.../app/public/404.html and Rack::Runtime with ActionDispatch::RequestId; laravel/framework
# AbstractRouteCollection.php and Foundation/Exceptions/views/minimal.blade.php.
RAILS_PAGE = (
    "<!doctype html><html><head><title>The page you were looking for doesn't exist (404 Not found)</title></head>"
)
LARAVEL_PAGE = '<div class="px-4 text-lg text-gray-500 border-r border-gray-400 tracking-wider">\n404 </div>'
LARAVEL_JSON = '{"message": "The route webhooks could not be found."}'
FROM_SOURCES = [
    ("rails", Answer(404, (("content-type", "text/html; charset=UTF-8"),), RAILS_PAGE, 0, 0.0)),
    ("rails", Answer(400, (("x-runtime", "0.004211"), ("x-request-id", "8f14e45f")), "", 0, 0.0)),
    ("laravel", Answer(404, (("content-type", "text/html; charset=UTF-8"),), LARAVEL_PAGE, 0, 0.0)),
    ("laravel", Answer(404, (("content-type", "application/json"),), LARAVEL_JSON, 0, 0.0)),
    ("laravel", Answer(419, (("set-cookie", "laravel_session=eyJpdiI6; path=/; httponly"),), "", 0, 0.0)),
]


def kept(name):
    """Return an answer of the corpus."""
    head, _, body = (PAGES / f"{name}.http").read_text().partition("\n\n")
    status, *headers = head.splitlines()
    pairs = tuple((key.lower(), value) for key, _, value in (one.partition(": ") for one in headers))
    return Answer(int(status.split()[1]), pairs, body, len(body), 0.01)


@pytest.mark.parametrize("name", TELLING)
def test_a_framework_is_known_by_its_answer(name):
    """What a framework answers by itself tells which it is, and where that was seen."""
    found = recognise([Answer(200, (), "pong", 4, 0.0), kept(name)])
    assert found.framework == MADE_BY[name.partition("_")[0]]
    assert found.framework_by


@pytest.mark.parametrize("name", sorted(one.stem for one in PAGES.glob("*.http")))
def test_no_framework_is_taken_for_another(name):
    """No answer that is kept of any framework is taken for that of another one."""
    assert recognise([kept(name)]).framework in {"", MADE_BY.get(name.partition("_")[0], ""), *_beneath(name)}


def _beneath(name):
    """Return what a page is served by, where its name tells of what was shown on it."""
    if name.startswith(("database_", "stripe_")):
        return {"flask", "fastapi"}
    return set()


@pytest.mark.parametrize(("framework", "answer"), FROM_SOURCES)
def test_frameworks_that_are_known_from_their_sources(framework, answer):
    """Rails and Laravel are known by what their sources say that they answer."""
    assert recognise([answer]).framework == framework


def test_fastapi_is_known_by_its_document():
    """An OpenAPI document with the schemas of FastAPI's own objections is FastAPI's; another one tells nothing."""
    document = {"components": {"schemas": {"HTTPValidationError": {}, "ValidationError": {}}}}
    assert recognise([], document).framework == "fastapi"
    assert recognise([], {"components": {"schemas": {"ValidationError": {}}}}).framework == ""
    assert recognise([], {"components": []}).framework == ""


@pytest.mark.parametrize(
    ("names", "sdk"),
    [
        (["stripe_webhook_no_header", "flask_production_404"], "python"),
        (["express_stripe_webhook_as_text"], "node"),
        (["stripe_webhook_no_match", "django_production_404"], "python"),
        (["stripe_webhook_no_header"], ""),
        (["flask_production_404"], ""),
    ],
)
def test_a_library_is_known_by_its_words(names, sdk):
    """A library is known by its own words in a refusal; where several share them, only with the framework."""
    found = recognise([kept(name) for name in names])
    assert (found.sdk, bool(found.sdk_by)) == (sdk, bool(sdk))


def test_every_framework_has_a_language():
    """Each framework that a target file may name has the Stripe library of its language."""
    assert set(LANGUAGES.values()) <= {"python", "node", "go", "ruby", "java", "php"}
