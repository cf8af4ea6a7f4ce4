import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "reference_impl"
TEXT = (FOLDER / "README.md").read_text()
WAYS = {
    way: [FOLDER / file for file in re.findall(r"^\d+\. `([^`]+)` ", section, re.MULTILINE)]
    for way, section in re.findall(r"^## (An? [^\n]+ way)\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL)
}


def imported_by(file: Path) -> set[Path]:
    """Name the files of the service that a file imports."""
    modules = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {FOLDER / f"{module.replace('.', '/')}.py" for module in modules}


def test_readme_has_two_reading_paths():
    """A reader can follow what Stripe sends and what a caller asks for."""
    assert list(WAYS) == ["A webhook's way", "An operation's way"]


@pytest.mark.parametrize("way", WAYS)
def test_reading_path_follows_the_imports(way):
    """Each file of a path is there, and one that was read before imports it."""
    seen: set[Path] = set()
    for number, file in enumerate(WAYS[way]):
        assert file.is_file()
        assert number == 0 or file in seen, file
        seen |= imported_by(file)


@pytest.mark.parametrize("folder", sorted(set(re.findall(r"`([a-z/]+/)`(?=[^|\n]*\|)", TEXT))))
def test_folders_of_the_readme_exist(folder):
    """Each folder that the table describes is there."""
    assert (FOLDER / "payproof_reference" / folder).is_dir()


def test_readme_describes_each_folder_of_the_services():
    """A new folder gets its line."""
    services = FOLDER / "payproof_reference" / "services"
    assert all(f"`services/{path.parent.name}/`" in TEXT for path in services.glob("*/__init__.py"))


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)", TEXT))
def test_links_of_the_readme_lead_somewhere(link):
    """What the page points to is there."""
    assert (FOLDER / link).exists()
