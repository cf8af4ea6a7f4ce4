"""What a search of a work tree leaves out, held against git itself."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payproof.errors import ConfigurationError
from payproof.files.ignored import IgnoredPaths
from payproof.files.walk import find_files
from tests.components import need
from tests.effort import examples
from tests.end_to_end.command import payproof_here

CARD = "card 4242424242424242 \n"


def made(top, **files):
    """Write files below a folder, in a work tree."""
    (top / ".git").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        place = top / name.replace("__", "/").replace("_dot_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return top


def found(top, *exclude, by_git=True):
    """Return what a search below a folder looks at, and how much it leaves out."""
    ignored = IgnoredPaths(top, exclude, by_git=by_git)
    files = sorted(str(file.relative_to(top)) for file, _ in find_files(top, set(), ignored.leaves_out))
    return files, ignored.count


def test_what_git_ignores_is_left_out(tmp_path):
    """Patterns of each folder hold below it, the nearest first; git's own database is never looked at."""
    made(
        tmp_path,
        _dot_gitignore="*.log\nbuild/\n/only_here\n",
        a_dot_log="",
        b_dot_txt="",
        build__c="",
        deep___dot_gitignore="!*.log\n",
        deep__d_dot_log="",
        deep__build__e="",
        deep__only_here="",
        only_here="",
        _dot_git__config="",
        _dot_git__info__exclude="*.txt\n",
    )
    files, left_out = found(tmp_path)
    assert files == [".gitignore", "deep/.gitignore", "deep/d.log", "deep/only_here"]
    assert left_out == 5
    assert len(found(tmp_path, by_git=False)[0]) == 11


def test_what_is_named_is_searched(tmp_path):
    """A file or folder on the command line is searched, whatever git says of it."""
    made(tmp_path, _dot_gitignore="logs/\n", logs__a="x")
    assert found(tmp_path / "logs") == (["a"], 0)
    assert found(tmp_path) == ([".gitignore"], 1)


def test_without_a_work_tree_nothing_is_ignored(tmp_path):
    """A `.gitignore` outside of one is a file like any other; `--exclude` holds everywhere."""
    made(tmp_path, _dot_gitignore="*\n", a="x", b__c="y")
    shutil.rmtree(tmp_path / ".git")
    assert found(tmp_path) == ([".gitignore", "a", "b/c"], 0)
    assert found(tmp_path, "b/", ".gitignore") == (["a"], 2)


def test_a_pattern_that_is_none_is_told():
    """A pattern that cannot be read is one line, with what would be right."""
    with pytest.raises(ConfigurationError, match=r"--exclude: .*!"):
        IgnoredPaths(Path(), ["!"])


def test_the_report_counts_what_was_left_out(tmp_path, monkeypatch):
    """Nothing is left out in silence, and `--no-ignore` searches it."""
    made(tmp_path, _dot_gitignore="*.log\n", a_dot_log=CARD, b_dot_txt="nothing\n")
    monkeypatch.chdir(tmp_path)
    ended = payproof_here("scan", ".")
    assert ended.code == 0
    assert "left out: .: 1 files and folders that .gitignore or --exclude name" in ended.out
    assert payproof_here("scan", ".", "--no-ignore").code == 1
    assert payproof_here("scan", ".", "--no-ignore", "--exclude", "*.log").code == 0
    refused = payproof_here("scan", ".", "--exclude", "!")
    assert (refused.code, "--exclude: " in refused.line) == (4, True)


NAMES = ("a", "b", "a.log", "b.txt", "build", "x y")
PATTERNS = st.lists(
    st.sampled_from(
        [
            *(
                "*.log",
                "!a.log",
                "build/",
                "build",
                "/a",
                "a/",
                "a/b",
                "**/b",
                "a/**",
                "!a/b",
                "*",
                "!*/",
                "b.*",
                "x\\ y",
            ),
            *("# no pattern", "", "/build/*", "!/build/a", "?", "[ab]", "*.txt ", "a/**/b"),
        ]
    ),
    max_size=4,
)


@pytest.mark.property
@settings(max_examples=examples(120), deadline=None)
@given(top=PATTERNS, inner=PATTERNS, exclude=PATTERNS)
def test_git_agrees(tmp_path_factory, top, inner, exclude):
    """For any patterns in three places, the search sees the files that git does not ignore."""
    need("git", shutil.which("git") is not None)
    root = tmp_path_factory.mktemp("tree")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    git = ["git", "-C", str(root)]
    subprocess.run([*git, "init", "--quiet"], check=True, env=environment)
    for folder in (root, root / "a", root / "build", root / "a" / "build"):
        folder.mkdir(exist_ok=True)
        for name in NAMES:
            if not (folder / name).exists() and name not in {"a", "build"}:
                (folder / name).write_text("")
    for name in ("build", "b"):
        (root / "a" / "build" / name).write_text("")
    (root / ".gitignore").write_text("\n".join(top))
    (root / "a" / ".gitignore").write_text("\n".join(inner))
    (root / ".git" / "info" / "exclude").write_text("\n".join(exclude))
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--others", "--exclude-standard"], check=True, env=environment, capture_output=True
    )
    assert found(root)[0] == sorted(listed.stdout.decode().split("\0")[:-1])
