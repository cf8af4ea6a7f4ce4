import json
import os
from pathlib import Path

import pytest

from payproof.session.local_sources import find_logs, find_stores, measure_logs
from payproof.session.project_files import read_project

REQUIREMENTS = "Django==5.2\nstripe[async]>=11 ; python_version > '3'\n"
LOCK = "flask==3.1.0 \\\n    --hash=sha256:00\nstripe==14.0.0 \\\n    --hash=sha256:00\n"
PYPROJECT = '[project]\nname = "x"\ndependencies = ["FastAPI>=0.1", "stripe"]\n'
POETRY = '[tool.poetry.dependencies]\npython = "^3.11"\nflask = "*"\nstripe = "*"\n'
UV = '[[package]]\nname = "flask"\n[[package]]\nname = "stripe"\n'
NPM_LOCK = '{"packages": {"": {}, "node_modules/stripe": {}, "node_modules/express": {}}}'
GO = "module shop\n\nrequire (\n\tgithub.com/stripe/stripe-go/v82 v82.5.1\n)\n"
GEMFILE = "source 'https://rubygems.org'\ngem 'rails', '~> 8'\ngem \"stripe\"\n"
GEM_LOCK = "GEM\n  specs:\n    rails (8.0.0)\n    stripe (13.0.0)\n"
POM = (
    "<dependency><groupId>com.stripe</groupId></dependency><parent><groupId>org.springframework.boot</groupId></parent>"
)
GRADLE = (
    "plugins { id 'org.springframework.boot' version '3' }\ndependencies { implementation 'com.stripe:stripe-java:28' }"
)
CSPROJ = '<Project><ItemGroup><PackageReference Include="Stripe.net" Version="48" /></ItemGroup></Project>'


@pytest.mark.parametrize(
    ("name", "text", "framework", "sdk"),
    [
        ("requirements.txt", REQUIREMENTS, "django", "python"),
        ("requirements-dev.txt", REQUIREMENTS, "django", "python"),
        ("requirements.lock", LOCK, "flask", "python"),
        ("pyproject.toml", PYPROJECT, "fastapi", "python"),
        ("pyproject.toml", POETRY, "flask", "python"),
        ("uv.lock", UV, "flask", "python"),
        ("Pipfile", "[packages]\nflask = '*'\nstripe = '*'\n", "flask", "python"),
        ("package.json", '{"dependencies": {"next": "16", "stripe": "20"}}', "nextjs", "node"),
        ("package.json", '{"devDependencies": {"hono": "4"}}', "hono", ""),
        (
            "package-lock.json",
            '{"packages": {"": {}, "node_modules/stripe": {}, "node_modules/express": {}}}',
            "express",
            "node",
        ),
        ("go.mod", GO, "net_http", "go"),
        ("composer.json", '{"require": {"laravel/framework": "12", "stripe/stripe-php": "17"}}', "laravel", "php"),
        ("composer.lock", '{"packages": [{"name": "stripe/stripe-php"}]}', "", "php"),
        ("Gemfile", GEMFILE, "rails", "ruby"),
        ("Gemfile.lock", GEM_LOCK, "rails", "ruby"),
        ("pom.xml", POM, "spring", "java"),
        ("build.gradle", GRADLE, "spring", "java"),
        ("Shop.csproj", CSPROJ, "", "dotnet"),
        ("package.json", "[]", "", ""),
        ("package.json", '{"dependencies": []}', "", ""),
        ("pyproject.toml", "= no TOML", "", ""),
        ("uv.lock", "package = 1", "", ""),
        ("composer.lock", '{"packages": [1]}', "", ""),
    ],
)
def test_projects_are_recognised_by_their_dependencies(tmp_path, name, text, framework, sdk):
    """Framework and Stripe library stand in the file of each ecosystem; what is no such file says nothing."""
    (tmp_path / name).write_text(text)
    found = read_project(tmp_path)
    assert (found.framework, found.sdk) == (framework, sdk)
    assert found.files == ((name,) if framework or sdk else ())


def test_two_libraries_leave_it_open_which_verifies(tmp_path):
    """Where a project has Stripe's libraries for two languages, none is named."""
    (tmp_path / "requirements.txt").write_text("stripe\n")
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": {"stripe": "20"}}))
    assert read_project(tmp_path).sdk == ""


@pytest.mark.parametrize(
    ("name", "text", "start"),
    [
        (
            "Procfile",
            "release: x\nweb: gunicorn shop -b :$PORT\n",
            ("sh", "-c", "gunicorn shop -b :$PORT"),
        ),
        ("package.json", '{"scripts": {"start": "node ."}}', ("npm", "start")),
        ("manage.py", "", ("python", "manage.py", "runserver", "--noreload", "{port}")),
        ("other", "", ()),
    ],
)
def test_start_commands_are_found(tmp_path, name, text, start):
    """The command that starts a service stands in a Procfile, among a package's scripts, or is a framework's."""
    (tmp_path / name).write_text(text)
    assert read_project(tmp_path).start == start


def database(file: Path) -> Path:
    """Make a file that begins as SQLite's do."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"SQLite format 3\0")
    return file


def test_stores_are_found_by_variables_and_files(tmp_path):
    """Variables come first, then databases, the one written to last first; those of tools do not count."""
    database(tmp_path / "var" / "shop.sqlite3")
    os.utime(database(tmp_path / "old.db"), (1, 1))
    database(tmp_path / ".venv" / "hidden.db")
    database(tmp_path / "node_modules" / "tool.db")
    database(tmp_path / "a" / "b" / "c" / "d" / "deep.db")
    (tmp_path / "text.db").write_text("no database")
    variables = {"DATABASE_URL": "postgres://shop", "CACHE_URL": "redis://", "TEST_DB_URL": "oracle://shop"}
    found = find_stores(tmp_path, tmp_path / "var", variables)
    assert [one.variable or one.url for one in found] == ["DATABASE_URL", "sqlite:shop.sqlite3", "sqlite:../old.db"]


def test_logs_are_found_by_what_they_show(tmp_path):
    """A log that holds the request's token is the service's; else one that has grown; else the only one."""
    named, grown, still = tmp_path / "log" / "access", tmp_path / "app.log", tmp_path / "still.log"
    named.parent.mkdir()
    for one in (named, grown, still):
        one.write_text("line\n")
    before = measure_logs(tmp_path)
    assert set(before) == {named, grown, still}
    assert find_logs(tmp_path, tmp_path, before, "payproof-1") == []
    grown.write_text("line\nline\n")
    assert find_logs(tmp_path, tmp_path, before, "payproof-1") == ["file:app.log"]
    named.write_text("GET /payproof-1\n")
    assert find_logs(tmp_path, tmp_path, before, "payproof-1") == ["file:log/access"]
    named.unlink()
    grown.unlink()
    assert find_logs(tmp_path, tmp_path, before, "payproof-1") == ["file:still.log"]
