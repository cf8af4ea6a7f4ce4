"""What a search makes of code: numbers of tests, lines that accept a finding, baselines however it is called."""

import importlib.util
import json
from pathlib import Path

import pytest

from tests.at_rest.test_ignored import made
from tests.end_to_end.command import payproof_here

TEST = "card = '4242424242424242'\n"
CARD = "card = '4024007103939509'{}\n"


def scanned(*arguments):
    """Run the command; return how it ended, and its leaks by status."""
    ended = payproof_here("scan", "--format", "jsonl", *arguments)
    lines = [json.loads(line) for line in ended.out.splitlines()]
    return ended.code, sorted((one["status"], one["place"]["source"]) for one in lines if one["type"] == "leak")


def test_published_numbers_are_no_fault_of_code(tmp_path, monkeypatch):
    """In a work tree they are listed; in what git ignores there, and outside of one, they count as they do in a log."""
    made(tmp_path / "shop", _dot_gitignore="logs/\n", tests__cards=TEST, logs__app=TEST)
    (tmp_path / "log").write_text(TEST)
    monkeypatch.chdir(tmp_path)
    assert scanned("shop") == (0, [("listed", "shop/tests/cards")])
    assert scanned("shop/logs") == (1, [("new", "shop/logs/app")])
    assert scanned("log") == (1, [("new", "log")])
    (tmp_path / "shop" / ".git" / "note").write_text(TEST)
    everything = [("listed", "shop/tests/cards"), ("new", "shop/.git/note"), ("new", "shop/logs/app")]
    assert scanned("shop", "--no-ignore") == (1, everything)


@pytest.mark.parametrize("mark", ["payproof:allow", "gitleaks:allow", "pragma: allowlist secret"])
def test_a_mark_accepts_the_finding_on_its_line(tmp_path, monkeypatch, mark):
    """In code, and there only: a log may hold whatever somebody has typed."""
    made(tmp_path / "shop", code=CARD.format(f"  # {mark}, it is made up"))
    (tmp_path / "log").write_text(CARD.format(f" {mark}"))
    monkeypatch.chdir(tmp_path)
    assert scanned("shop") == (0, [("waived", "shop/code")])
    assert f"{mark} on its line" in payproof_here("scan", "shop").out
    assert scanned("log") == (1, [("new", "log")])
    (tmp_path / "shop" / "code").write_text(f"# {mark}\n" + CARD.format(""))
    assert scanned("shop") == (1, [("new", "shop/code")])


def test_baselines_hold_however_the_path_is_given(tmp_path, monkeypatch):
    """What is known of a work tree is known from any folder, by any path to it."""
    made(tmp_path / "shop", src__code=CARD.format(""))
    monkeypatch.chdir(tmp_path)
    payproof_here("scan", "shop", "--write-baseline", "known.json")
    for path in ("shop", "./shop/src", "shop/src/code", str(tmp_path / "shop"), "shop/../shop/src"):
        code, found = scanned(path, "--baseline", "known.json")
        assert (code, [status for status, _ in found]) == (0, ["known"]), path


def test_a_link_to_nowhere_is_no_gap_in_code(tmp_path, monkeypatch):
    """Code has links to what only some machines have; a link to a log that is gone is told as not read."""
    made(tmp_path / "shop", _dot_gitignore="logs/\n", code="x = 1\n", logs__app="started\n")
    for place in (tmp_path / "shop" / "keys", tmp_path / "shop" / "logs" / "latest"):
        place.symlink_to("/nowhere/at/all")
    monkeypatch.chdir(tmp_path)
    assert scanned("shop")[0] == 0
    assert scanned("shop/keys")[0] == 3
    assert scanned("shop/logs")[0] == 3


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages", "node_modules"])
def test_installed_packages_are_code(tmp_path, monkeypatch, folder):
    """Wherever packages are installed, ignored by git or in no work tree, what belongs into code is no fault there."""
    made(tmp_path / "shop", _dot_gitignore=f"{folder}/\n", **{f"{folder}__pkg__test": TEST})
    (tmp_path / "venv" / "lib" / folder).mkdir(parents=True)
    (tmp_path / "venv" / "lib" / folder / "test").write_text(TEST)
    monkeypatch.chdir(tmp_path)
    assert scanned(f"shop/{folder}") == (0, [("listed", f"shop/{folder}/pkg/test")])
    assert scanned("venv") == (0, [("listed", f"venv/lib/{folder}/test")])


def test_what_anybody_would_guess_is_listed_in_code(tmp_path, monkeypatch):
    """A password for development is counted and breaks nothing; in a log it does, and a real one does in code too."""
    guessed, real = (f"url = 'postgresql://app:{word}@localhost/x'\n" for word in ("app", "tr0ub4" + "dor-Qx9"))
    made(tmp_path / "shop", settings=guessed)
    (tmp_path / "log").write_text(guessed)
    monkeypatch.chdir(tmp_path)
    assert scanned("shop") == (0, [("listed", "shop/settings")])
    told = payproof_here("scan", "shop").out
    assert "listed in code, published for tests, made up, or what anybody would guess: 1 dsn_password" in told
    assert "settings" not in told
    assert scanned("log") == (1, [("new", "log")])
    made(tmp_path / "shop", settings=real)
    assert scanned("shop") == (1, [("new", "shop/settings")])


@pytest.mark.parametrize("package", ["click", "httpx", "pathspec", "pydantic", "sqlalchemy", "starlette"])
def test_nothing_new_in_installed_packages(package):
    """Packages that everybody installs hold nothing new; `python -m tests.scan.packages` searches 400 of them."""
    folder = Path(importlib.util.find_spec(package).origin).parent
    ended = payproof_here("scan", "--no-ignore", str(folder))
    assert ended.code == 0, ended.out
