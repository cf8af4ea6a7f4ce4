"""URLs are made of base, path, query and shape in one place, and each part stays what it is."""

import re
from typing import get_args
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from payproof.domain.urls import (
    Shape,
    ShapeError,
    aliases,
    nowhere,
    path_of,
    quote_path,
    resolve_redirect,
    shape_path,
    url_of,
    with_query,
)

segments = st.text("abcXYZ019-._~", min_size=1, max_size=6) | st.sampled_from(
    ["%2F", "%41b", "caf%C3%A9", "a;b=c", "a:b"]
)
paths = st.builds(
    lambda parts, end: "/" + "/".join(parts) + (end if parts else ""),
    st.lists(segments, max_size=4),
    st.sampled_from(["", "/"]),
)
words = st.text("abXY01-_.", max_size=6)
queries = st.lists(st.builds("{}={}".format, words.filter(bool), words) | words.filter(bool), max_size=3).map("&".join)
targets = st.builds(lambda path, query: path + ("?" + query if query else ""), paths, queries)
bases = st.builds(
    lambda scheme, host, path: scheme + host + path,
    st.sampled_from(["http://", "https://"]),
    st.sampled_from(["h", "h:8443", "[::1]:80", "billing.example"]),
    st.sampled_from(["", "/", "/app", "/app/", "/a/b"]),
)


@given(bases, targets)
def test_a_url_has_one_query_and_its_own_host(base, target):
    """A URL is its base and its target, neither of them changed: the host is the base's, the query the target's."""
    parts, root = urlsplit(url_of(base, target)), urlsplit(base)
    assert (parts.scheme, parts.netloc, parts.fragment) == (root.scheme, root.netloc, "")
    assert parts.path == root.path.rstrip("/") + path_of(target)
    assert parts.query == target.partition("?")[2]


@given(bases, st.text(max_size=20))
@example("https://h", "/a b#c\u2028\ud800\x00")
def test_whatever_a_target_is_its_url_is_one_line(base, text):
    """What cannot stand on a request line is encoded, and what is encoded is not encoded again."""
    url = url_of(base, "/" + text)
    assert re.fullmatch(r"[!-~]+", url)
    assert "#" not in url
    assert urlsplit(url).netloc == urlsplit(base).netloc
    assert quote_path(quote_path(text)) == quote_path(text)
    assert unquote(quote_path(text), errors="surrogatepass") == unquote(text, errors="surrogatepass")


@given(targets, st.lists(queries, max_size=3))
def test_queries_are_joined(target, more):
    """However many queries a target gets, it has one question mark, and all parameters in order."""
    joined = with_query(target, *more)
    assert path_of(joined) == path_of(target)
    assert joined.count("?") == ("?" in target or any(more))
    wanted = [pair for query in (target.partition("?")[2], *more) for pair in parse_qsl(query, keep_blank_values=True)]
    assert parse_qsl(joined.partition("?")[2], keep_blank_values=True) == wanted


@given(targets, st.sampled_from(get_args(Shape)))
def test_a_shape_is_another_target_or_none(target, shape):
    """Each shape of any path is a request target that differs from it, or there is none, and a reason."""
    try:
        places = shape_path(target, shape)
    except ShapeError:
        return
    assert places
    for place in places:
        assert place.startswith("/")
        assert place != target
        assert place.count("?") == target.count("?")
        assert quote_path(place) == place
        if shape != "upper_case":
            assert place.partition("?")[2] == target.partition("?")[2]
        assert (
            unquote(place).lower().replace("//", "/").replace("/payproof/..", "").rstrip("/")
            == (unquote(target).lower().replace("//", "/").rstrip("/"))
            or "trailing_slash" in shape
        )


@given(targets, st.sampled_from(["test", "retry", "debug"]))
def test_aliases_are_below_the_path_and_beside_each_value(target, word):
    """One alias is below the path, and at least one beside each value of the query, each with one word more."""
    below, *beside = aliases(target, word)
    path, _, query = target.partition("?")
    assert below == f"{path.rstrip('/')}/{word}" + (f"?{query}" if query else "")
    assert len(beside) >= len(set(filter(None, query.split("&"))))
    for place in beside:
        assert path_of(place) == path
        own, other = query.split("&"), place.partition("?")[2].split("&")
        changed = [new for old, new in zip(own, other, strict=True) if old != new]
        assert len(changed) == 1
        assert changed[0].endswith(word)


@given(targets, st.sampled_from([*get_args(Shape), "test"]))
def test_nowhere_is_like_the_place(target, how):
    """A place that no route has differs from the target where the place does, and holds the made-up name."""
    try:
        places = aliases(target, "test") if how == "test" else shape_path(target, how)
    except ShapeError:
        assume(False)
    for place in places:
        made_up = nowhere(target, place, "payproof-0")
        assert made_up not in {place, target}
        assert made_up.startswith("/")
        assert "payproof-0" in made_up
        assert made_up.count("?") == place.count("?")
        if path_of(place) == path_of(target):
            assert path_of(made_up) == path_of(target)
        else:
            assert made_up.partition("?")[2] == place.partition("?")[2]


@pytest.mark.parametrize(
    ("target", "shape", "places"),
    [
        ("/webhook", "upper_case", ("/WEBHOOK",)),
        ("/caf%c3%a9", "upper_case", ("/CAF%c3%a9",)),
        ("/i.php?task=hook", "upper_case", ("/I.PHP?task=hook", "/i.php?task=HOOK")),
        ("/webhook", "double_slash", ("//webhook",)),
        ("/webhook?a=b", "dot_segments", ("/payproof/../webhook?a=b",)),
        ("/webhooks/stripe", "encoded_slash", ("/webhooks%2Fstripe",)),
        ("/a/b/c/?x=/y", "encoded_slash", ("/a/b%2Fc/?x=/y",)),
        ("/webhook?a=b", "trailing_slash", ("/webhook/?a=b",)),
        ("/webhook/", "trailing_slash", ("/webhook",)),
    ],
)
def test_shapes(target, shape, places):
    """The shapes of usual paths are these."""
    assert shape_path(target, shape) == places


@pytest.mark.parametrize(
    ("target", "shape"),
    [
        ("/webhook", "encoded_slash"),
        ("/webhook/", "encoded_slash"),
        ("/index.php?option=shop&task=a/b", "encoded_slash"),
        ("/", "trailing_slash"),
        ("/?webhook", "trailing_slash"),
        ("/01?A=%aa", "upper_case"),
    ],
)
def test_shapes_that_make_no_sense(target, shape):
    """A shape that a path cannot have is told by its reason, which names the path."""
    with pytest.raises(ShapeError, match=re.escape(path_of(target))):
        shape_path(target, shape)


def test_aliases_of_what_a_query_tells():
    """A route that the query tells has its aliases there too, joined as its own words are."""
    assert aliases("/index.php?option=shop&task=stripe_webhook", "test") == (
        "/index.php/test?option=shop&task=stripe_webhook",
        "/index.php?option=shop_test&task=stripe_webhook",
        "/index.php?option=shop&task=stripe_webhook_test",
    )
    assert aliases("/?wc-api=wc-stripe&x=", "test")[1:] == ("/?wc-api=wc-stripe-test&x=", "/?wc-api=wc-stripe&x=test")
    assert aliases("/?route=a/b", "test") == ("/test?route=a/b", "/?route=a/b/test")


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b?c=d", "https://h:1/b?c=d"),
        ("?c=d", "https://h:1//a?c=d"),
        ("https://e.example", "https://e.example/"),
        ("//e.example/x#y", "https://e.example/x"),
        ("http://[", None),
        ("http://h:port/", None),
    ],
)
def test_redirects(location, url):
    """A redirect keeps its query, and loses what is no part of a request; what is no URL leads nowhere."""
    assert resolve_redirect("https://h:1//a?x=y", location) == url
