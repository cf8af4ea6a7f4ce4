import html
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.forms import Form, Forms

FRAME = Forms(Form("frame", rb"File \"[^\"\n]{1,99}\", line \d+ in [\w<>]+", Confidence.HIGH))
TEXT = 'File "/srv/é/app.py", line 12 in <f>'


def spans(data, forms=FRAME):
    """Return the parts of the data that were found."""
    return [data[hit.start : hit.end] for hit in forms.find(data)]


def on_a_page(text):
    """Return a text as frameworks write it on pages."""
    return f"<pre>{html.escape(text)}</pre>".replace(" ", "&nbsp;").replace("line", "<b>line</b>")


@pytest.mark.parametrize(
    "encode",
    [
        str,
        json.dumps,
        html.escape,
        lambda text: json.dumps(text).replace("/", "\\/"),
        lambda text: json.dumps(html.escape(text)),
        lambda text: html.escape(json.dumps(text)),
        lambda text: json.dumps(json.dumps(text)),
        lambda text: json.dumps(text).replace('"', "\\u0022"),
        lambda text: html.escape(text).replace("&quot;", "&#x22;").replace("/", "&#47;"),
    ],
)
def test_text_is_found_in_any_encoding(encode):
    """A text is found once where it stands in JSON, on a page, or in both, and the offsets are those of the data."""
    data = b"before \xff " + encode("so: " + TEXT).encode() + b" after"
    (found,) = spans(data)
    assert found.startswith(b"File")
    assert found.rstrip(b'"\\').endswith((b"f>", b"f&gt;"))


def test_tags_within_a_line_do_not_hide_a_text():
    """What a page marks in bold is still one line; what stands in another block is another."""
    assert spans(b'File "/a.py", <b>line</b> <i class="x">3</i> in <code>f</code>')
    assert not spans(b'File "/a.py",<p>line 3 in f')
    assert spans(b'File "/a.py", <!-- not hidden --> File "/b.py", line 3 in f')


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_offsets_point_into_the_data(before, after):
    """Whatever stands around it and however it is encoded, the part that a hit names decodes to the text."""
    forms = Forms(Form("mark", 'MÄRKE "x"'.encode()))
    text = f'{before}MÄRKE "x"{after}'
    plain, dumped, escaped = text.encode("utf-8"), json.dumps(text).encode(), html.escape(text).encode()
    assert b'M\xc3\x84RKE "x"' in spans(plain, forms)
    assert '"M\\u00c4RKE \\"x\\""' in {f'"{one.decode()}"' for one in spans(dumped, forms)}
    assert "MÄRKE &quot;x&quot;".encode() in spans(escaped, forms)


def test_each_form_is_one_hit_at_a_place():
    """Two forms at one place are two hits; one that can be read in several ways is one."""
    forms = Forms(Form("word", rb"stack\w*"), Form("word", rb"sta\w+"), Form("other", rb"stack"))
    assert list(forms.find(b"a stacktrace &amp; more")) == [
        Hit(2, 12, "word", Confidence.HIGH),
        Hit(2, 7, "other", Confidence.HIGH),
    ]


def test_needs_save_the_search_only():
    """A form whose texts are all absent is not looked for, and one of them is enough."""
    forms = Forms(Form("a", rb"\w+ing", needs=(b"king", b"ring")))
    assert spans(b"walking", forms) == [b"walking"]
    assert not spans(b"going", forms)


@pytest.mark.parametrize(
    "data", [b"", b"\\", b"&#99999999;", b"&#x110000;", b"\\ud800", b"<", b"&;", b"\\u00", b"<a", b"&zz;"]
)
def test_broken_codes_are_text(data):
    """What is no code stays as it is, and nothing raises."""
    assert spans(data + b' File "/a.py", line 3 in f')
