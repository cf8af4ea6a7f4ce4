"""The compiled loops say what the arrays say, of whatever bytes: what is found does not depend on a compiler."""

import base64
from itertools import chain
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payproof.domain.finding import Confidence
from payproof.registry import detectors_at_rest
from payproof.scan import cards, compiled, digits, fields, groups, kernel
from payproof.scan.codecs import base64 as codec
from payproof.scan.context import name_before, names_before, surely_joined
from payproof.scan.scanner import Scanner
from payproof.scan.streams import Machine, Program, plane
from payproof.scan.view import GUARD, View
from tests.components import need
from tests.effort import examples
from tests.scan._corpus import CANARIES, clean, planted
from tests.scan._mixed import BESIDE, NAMED, mixed
from tests.scan._writing import SEPARATORS, WIDE

PROGRAMS = Scanner(detectors_at_rest(CANARIES))._programs
MOST = 3 * 65536 + 100
LOOPS = kernel.loops()


@pytest.fixture(scope="module", autouse=True)
def _needed():
    """The loops are there, as the set-up compiles them wherever there is a compiler."""
    if LOOPS is None:
        need("compiler", present=False)


@pytest.fixture(scope="module")
def machines():
    """The two ways to run the programs, for the same texts."""
    return Machine(PROGRAMS, MOST), compiled.Compiled(PROGRAMS, MOST, LOOPS)


def same_bits(machines, text):
    for machine in machines:
        machine.load(np.frombuffer(text, np.uint8))
    for program in PROGRAMS:
        for name in program.outputs:
            one, other = (machine.places(name).tolist() for machine in machines)
            assert one == other, (name, len(text))


def test_every_expression_is_true_of_the_same_bytes(machines):
    """Every expression of every detector and codec is true of the same bytes, compiled and not."""
    log, noise = mixed(), Random(6).randbytes(MOST)
    texts = [log[:MOST], noise, log[MOST : MOST + 70_001], b"\xff" * 5000, b"\0" * MOST, b"4" * MOST, b"", noise[:1]]
    for text in [*texts, *(noise[:size] for size in range(1, 700, 37))]:
        same_bits(machines, text)


@given(text=st.lists(st.sampled_from([*BESIDE, *NAMED, "4000051234567894", "\u0660" * 5]) | st.text()).map("".join))
def test_every_expression_is_true_of_the_same_bytes_of_any_text(machines, text):
    """The same of texts that nobody has thought of."""
    same_bits(machines, text.encode("utf-8", "surrogatepass")[:MOST])


@given(
    tables=st.lists(
        st.tuples(st.sampled_from("&|^~"), st.integers(0, 40), st.integers(-9, 9)), min_size=1, max_size=40
    ),
    text=st.binary(min_size=1, max_size=900),
)
def test_any_program_is_the_same(tables, text):
    """Whatever operations an expression is made of, in whatever order, its bits are the same."""
    made = [plane(number) for number in range(8)]
    for operation, other, later in tables:
        one, two = made[-1], made[other % len(made)].ahead(later)
        made.append({"&": one & two, "|": one | two, "^": one ^ two, "~": ~one}[operation])
    try:
        program = Program({"last": made[-1], "before": made[-2].ahead(3)})
    except ValueError:  # looks too far
        return
    both = Machine([program], 900), compiled.Compiled([program], 900, LOOPS)
    for machine in both:
        machine.load(np.frombuffer(text, np.uint8))
    for name in program.outputs:
        assert both[0].places(name).tolist() == both[1].places(name).tolist()


def test_a_text_that_is_too_long_is_refused(machines):
    """A text that the memory is too small for is an error, as is a name that two expressions have."""
    with pytest.raises(ValueError, match="of at most"):
        machines[1].load(np.zeros(MOST + 1, np.uint8))
    with pytest.raises(ValueError, match="same name"):
        compiled.Compiled([PROGRAMS[0], PROGRAMS[0]], 64, LOOPS)


def both_ways(monkeypatch, asked):
    """Return what a question is answered with the loops and without them."""
    with monkeypatch.context() as patch:
        patch.setattr(kernel, "loops", lambda: None)
        without = asked()
    return asked(), without


PIECES = st.lists(
    st.sampled_from(
        [
            *BESIDE,
            *NAMED,
            *SEPARATORS.values(),
            *("4000051234567894", "6212345678901234567", "4000 0512 3456 7894", "4000", "0512", "378282246310005", "2"),
            *(
                '"id": ',
                "user id: ",
                "a=b=",
                "x[y]=",
                "%22=",
                "%27:",
                ">=",
                "=>",
                "==",
                ":'",
                '\\\\"',
                "eJw",
                "eNo",
                "QUJD",
            ),
            *(WIDE["utf-16-le"]("4000").decode("latin-1"), base64.b64encode(("\u0664\u0662" * 4).encode()).decode()),
            *(base64.b64encode(("\uff14\uff12" * 4).encode()).decode(), "7" * 20, "AAAA", "\n", "\\n"),
        ]
    )
    | st.text(max_size=20),
    min_size=1,
    max_size=40,
)


@settings(max_examples=examples(300))
@given(pieces=PIECES)
def test_what_is_chosen_is_the_same(pieces):
    """Numbers, groups, neighbours, names and base64 are judged alike at every place of any text."""
    text = b"." + "".join(pieces).encode("utf-8", "surrogatepass")
    view = View(GUARD + text + GUARD, Machine(PROGRAMS, len(text) + 2 * len(GUARD)))
    every = np.arange(len(GUARD), len(GUARD) + len(text), dtype=np.int64)
    view._places = dict.fromkeys((*codec._CHOICES, "digits in fields"), every)
    numerals = np.array([place for place in every.tolist() if view.data[place : place + 12].isdigit()], np.int64)
    ends = np.minimum(every + 5, every[-1] + 1)

    def asked():
        plain = digits._find_plain(view, numerals)
        loops = kernel.loops()
        return (
            [getattr(plain, name).tolist() for name in ("starts", "ends", "brands", "valid")],
            (groups._pick_places(view, every) if loops is None else loops.groups(view.bytes, every)).tolist(),
            surely_joined(view, every, ends).tolist(),
            cards._may_be_beside(view, every, ends).tolist(),
            [(one.start, one.digits) for one in fields.find_in_fields(view)],
            list(names_before(view, every)),
            {name: codec._pick_places(view, name).tolist() for name in codec._CHOICES},
        )

    with pytest.MonkeyPatch.context() as patch:
        fast, slow = both_ways(patch, asked)
    assert fast == slow
    assert list(names_before(view, every)) == [name_before(view.data, place) for place in every.tolist()]


@pytest.mark.thorough
def test_what_is_found_is_the_same(monkeypatch):
    """A log with numbers in all surroundings, and every sample of the corpora, is searched with the same result."""
    samples = list(chain(planted(1, rounds=1), clean(1)))
    log = mixed() * 2

    def asked():
        scanner = Scanner(detectors_at_rest(CANARIES), Confidence.LOW)
        return scanner.scan(log), [sample.searched(scanner) for sample in samples]

    fast, slow = both_ways(monkeypatch, asked)
    assert fast == slow
    assert len(fast[0]) > 1000


def test_a_library_of_another_source_is_not_used(monkeypatch):
    """After an update without a build the old library could say something else, and is left alone, which is told."""
    need("compiler", LOOPS is not None)
    bytes_of = kernel._read_data
    monkeypatch.setattr(kernel, "_read_data", lambda name: bytes_of(name) + b"/* newer */" * name.endswith(".c"))
    assert kernel._load_library.__wrapped__() == "the compiled search was built from another version of its source"
    monkeypatch.setattr(kernel, "find_spec", lambda _name: None)
    assert kernel._load_library.__wrapped__() == ""


@pytest.mark.parametrize(
    "spoil",
    [lambda built: b"", lambda built: built[: len(built) // 2], lambda built: built[:-8], lambda built: built + b"\0"],
    ids=["empty", "cut", "not as it was built", "longer"],
)
def test_a_damaged_library_is_not_loaded(monkeypatch, spoil):
    """What is not as it was built would end the process that loads it, so it is not even tried."""
    need("compiler", LOOPS is not None)
    bytes_of = kernel._read_data
    monkeypatch.setattr(kernel, "_read_data", lambda name: spoil(bytes_of(name)) if name == kernel._LIBRARY else b"")
    monkeypatch.setattr(kernel.ctypes, "CDLL", lambda _path: pytest.fail("it was loaded"))
    assert kernel._load_library.__wrapped__() == "the compiled search is damaged"


@pytest.mark.parametrize("error", [OSError("wrong ELF class"), AttributeError("undefined symbol")])
def test_a_library_of_another_machine_is_not_used(monkeypatch, error):
    """A library that the system refuses, or that is another one, leaves the arrays, which is told."""
    need("compiler", LOOPS is not None)

    def refuse(_path):
        raise error

    monkeypatch.setattr(kernel.ctypes, "CDLL", refuse)
    assert kernel._load_library.__wrapped__() == "the compiled search cannot be loaded here"
