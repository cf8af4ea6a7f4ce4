"""One word means one thing: the words of ARCHITECTURE.md name classes, and no two classes share a name."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
ROWS = re.findall(r"^\| ([A-Z]\w+) \| (`[^|]+`) \| (.+) \|$", TEXT, re.MULTILINE)

UNION = re.compile(r"([A-Z][a-z]\w+) = [A-Z][a-z]\w+( \| [A-Z][a-z]\w+)+")


def class_files():
    """Return the files of each class, or union of classes, of the harness by its name without a leading underscore."""
    files = defaultdict(set)
    for file in sorted((ROOT / "harness" / "payproof").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                files[node.name.lstrip("_")].add(str(file.relative_to(ROOT)))
            if isinstance(node, ast.Assign) and (union := UNION.fullmatch(ast.unparse(node))):
                files[union[1]].add(str(file.relative_to(ROOT)))
    return files


FILES = class_files()


def test_words_are_read():
    """The table of words is there, and no word stands in it twice."""
    words = [word for word, _, _ in ROWS]
    assert len(words) > 15
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(("word", "classes"), [(word, re.findall(r"`(\w+)`", named)) for word, named, _ in ROWS])
def test_each_word_names_one_class(word, classes):
    """A word of ARCHITECTURE.md is the name of a class, or of one family, that the harness has once."""
    for name in classes:
        assert len(FILES[name]) == 1, f"{word}: {name} is a class in {sorted(FILES[name]) or 'no file'}"


def test_no_two_classes_share_a_name():
    """Whoever reads a class's name knows which class of the harness it is."""
    assert {name: sorted(files) for name, files in FILES.items() if len(files) > 1} == {}
