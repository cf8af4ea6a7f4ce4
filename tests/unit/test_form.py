"""Stripe's bracket notation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.stripe.form import FormError, decode, encode

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="[]"), min_size=1).filter(
    lambda name: not name.isdecimal()
)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        st.text(),
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(TREES)
def test_what_is_encoded_is_decoded(tree):
    """Objects, lists and texts come back as they were."""
    assert decode(encode(tree)) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", {}),
        ("a=1&a=2", {"a": "2"}),
        ("expand[]=x&expand[]=y", {"expand": ["x", "y"]}),
        ("items[1][price]=b&items[0][price]=a", {"items": [{"price": "a"}, {"price": "b"}]}),
        ("metadata[a%5Bb]=1", None),
        ("name=A+B%26C", {"name": "A B&C"}),
        ("a=", {"a": ""}),
    ],
)
def test_forms_of_the_sdks(text, tree):
    """Lists come by number or with empty brackets, and the last of two values counts."""
    if tree is None:
        with pytest.raises(FormError):
            decode(text)
        return
    assert decode(text) == tree


@pytest.mark.parametrize(
    "text",
    ["a[=1", "a]=1", "[a]=1", "a[b]c=1", "a=1&a[b]=2", "a[b]=1&a=2", "a[b]=1&a[b][c]=2", "a" + "[b]" * 13 + "=1"],
)
def test_what_is_no_form(text):
    """Brackets that do not match, a value that is an object too, and depths without end are refused."""
    with pytest.raises(FormError):
        decode(text)


def test_a_form_is_bounded():
    """More than 2,000 pairs are not read."""
    with pytest.raises(FormError, match="2000"):
        decode("&".join(f"a{number}=1" for number in range(2_001)))
