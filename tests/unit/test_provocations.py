from typing import get_args

import pytest

from payproof.domain.request import Request
from payproof.domain.target import Budget
from payproof.fuzzing.provocations import Kind, addresses, fill_path, provocations
from payproof.steps.deliver import Deliver
from payproof.steps.fuzz_routes import FuzzRoutes

ROUTES = [("GET", "/invoices"), ("POST", "/customers"), ("POST", "/subscriptions/{}/cancel")]


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_gets_requests_that_can_be_sent(kind, method, path):
    """Each kind has several requests for each route, distinct, on one line of ASCII, to the target's own host."""
    made = list(provocations(kind, method, path, "6*7"))
    assert len(made) == len(set(made)) >= 8
    for target, headers, body in made:
        assert target.startswith("/")
        assert target.isascii()
        assert target.isprintable()
        assert " " not in target
        assert "{" not in target or "{" in path
        assert not any(b"\n" in value or b"\r" in value for _, value in headers)
        assert Request(method, target, headers, body, "a note").target == target


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_templates_are_told_what_to_work_out(method, path):
    """Each template holds the product, so that what it comes to can be looked for, and the result stands nowhere."""
    texts = ["".join(map(str, one)) for one in provocations("templates", method, path, "61234*71234")]
    assert all("61234*71234" in text or "61234%2A71234" in text for text in texts)
    assert not any(str(61234 * 71234) in text for text in texts)


def test_ids_have_their_place():
    """What stands in a path for an id is replaced everywhere."""
    assert fill_path("/a/{}/b/{id}", "x") == "/a/x/b/x"


def test_addresses_are_asked_for_once():
    """Each address of a debug page is asked for as a browser does, and one that nobody has shows what is usual."""
    targets = [target for target, _, _ in addresses()]
    assert len(targets) == len(set(targets)) > 40
    assert "/payproof-is-nowhere" in targets
    assert all(any(b"text/html" in value for _, value in headers) for _, headers, _ in addresses())


def test_effort_multiplies_what_is_made_up():
    """Requests follow the effort both ways, the time only upwards, as a service is not quicker for being asked less."""
    step = FuzzRoutes()
    assert Budget().scale_requests(step.requests) == step.requests
    assert Budget(effort=4).scale_requests(step.requests) == 4 * step.requests
    assert Budget(effort=0.5).scale_requests(step.requests) == step.requests // 2
    assert [Budget(effort=effort).scale_seconds(step.seconds) / step.seconds for effort in (0.5, 1, 4)] == [1, 1, 4]
    assert (Deliver().requests, Deliver().seconds) == (0, 0)
