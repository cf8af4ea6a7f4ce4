"""A search of what a repository's changes add, for hooks before a commit and for pull requests."""

import os
import shutil
import subprocess

import pytest

from tests.at_rest.test_source_trees import CARD, scanned
from tests.components import need
from tests.end_to_end.command import payproof_here

OLD, NEW = CARD.format(""), CARD.replace("40240", "45320").replace("103939509", "103939503").format("")


@pytest.fixture(autouse=True)
def _git():
    need("git", shutil.which("git") is not None)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit, which has a card number in it; returns what runs git in it."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("GIT_CONFIG_GLOBAL", os.devnull), ("GIT_CONFIG_NOSYSTEM", "1")):
        monkeypatch.setenv(name, value)
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "A")
        monkeypatch.setenv(f"{name}_EMAIL", "a@example.test")

    def git(*arguments):
        subprocess.run(["git", *arguments], check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch=main")
    (tmp_path / "code.py").write_text(f"import this\n{OLD}")
    git("add", ".")
    git("commit", "--quiet", "--message=one")
    return git


def test_what_is_staged_is_searched(repository, tmp_path):
    """New lines of the index count: neither what was there before, nor what is not staged."""
    assert scanned("--staged")[0] == 5
    (tmp_path / "code.py").write_text(f"import this\n{OLD}# more\n")
    (tmp_path / "a b").mkdir()
    odd = tmp_path / "a b" / "ünusual [x].txt"
    odd.write_text(f"text\n{OLD}")
    repository("add", ".")
    odd.write_text("nothing")
    (tmp_path / "left.py").write_text(OLD)
    assert scanned("--staged") == (1, [("new", "a b/ünusual [x].txt")])
    assert scanned("--staged", "code.py") == (0, [])
    assert scanned("--staged", "--exclude", "a b/")[0] == 0
    assert "left out: " in payproof_here("scan", "--staged", "--exclude", "a b/").out
    assert scanned(".") == (1, [("new", "code.py"), ("new", "left.py")])


def test_what_came_since_a_revision_is_searched(repository, tmp_path):
    """Commits of the branch and the work tree count, and what others did to the base meanwhile does not."""
    repository("checkout", "--quiet", "-b", "feature")
    (tmp_path / "new.py").write_text(f"import that\n{OLD}")
    repository("add", ".")
    repository("commit", "--quiet", "--message=two")
    repository("checkout", "--quiet", "main")
    (tmp_path / "others.py").write_text(OLD)
    repository("add", ".")
    repository("commit", "--quiet", "--message=three")
    repository("checkout", "--quiet", "feature")
    assert scanned("--diff", "main") == (1, [("new", "new.py")])
    (tmp_path / "new.py").write_text("import that\n")
    assert scanned("--diff", "main") == (0, [])


def test_marks_and_baselines_hold_for_changes(repository, tmp_path):
    """A change is judged as the tree is."""
    (tmp_path / "new.py").write_text(CARD.format("  # payproof:allow"))
    repository("add", ".")
    assert scanned("--staged") == (0, [("waived", "new.py")])
    (tmp_path / "new.py").write_text(OLD)
    repository("add", ".")
    payproof_here("scan", ".", "--write-baseline", str(tmp_path / "known.json"))
    assert scanned("--staged", "--baseline", str(tmp_path / "known.json")) == (0, [("known", "new.py")])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--diff", "nowhere"), "git cannot tell the changes: fatal: "),
        (("--diff", "--output=x"), "--diff takes a revision, such as origin/main, not '--output=x'"),
        (("--staged", "--diff", "main"), "--staged and --diff are two searches"),
        (("--staged", "--resume", "state"), "--resume is for searches of sources"),
        ((), "Missing argument 'SOURCE...'"),
    ],
)
def test_wrong_use_is_one_line(repository, tmp_path, arguments, told):
    """What is wrong is told, and nothing is written."""
    ended = payproof_here("scan", *arguments)
    assert ended.code == 4
    assert told in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "code.py"]


def test_outside_of_a_repository_it_is_told(tmp_path, monkeypatch):
    """There are no changes where there is no repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    ended = payproof_here("scan", "--staged")
    assert (ended.code, "git cannot tell the changes: fatal: not a git repository" in ended.line) == (4, True)
