"""Recognises the framework and the Stripe library of a project by the files that name its dependencies."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Project", "read_project"]

# Frameworks by their packages, the more special ones first: what is built on another one names that as well.
_FRAMEWORKS: Mapping[str, tuple[str, ...]] = {
    "django": ("pypi:django",),
    "fastapi": ("pypi:fastapi",),
    "flask": ("pypi:flask",),
    "nextjs": ("npm:next",),
    "nestjs": ("npm:@nestjs/core",),
    "hono": ("npm:hono",),
    "fastify": ("npm:fastify",),
    "express": ("npm:express",),
    "rails": ("gem:rails",),
    "laravel": ("composer:laravel/framework",),
    "symfony": ("composer:symfony/framework-bundle",),
    "spring": ("maven:org.springframework.boot", "maven:org.springframework"),
    "net_http": ("go:module",),
}
_SDKS: Mapping[str, str] = {
    "pypi:stripe": "python",
    "npm:stripe": "node",
    "go:github.com/stripe/stripe-go": "go",
    "gem:stripe": "ruby",
    "composer:stripe/stripe-php": "php",
    "maven:com.stripe": "java",
    "nuget:stripe.net": "dotnet",
}
_MOST_BYTES = 4 * 1024 * 1024
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:[=<>~!;@]|\\?$)", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_GO = re.compile(r"^(?:require\s+|\s+)([\w./-]+?)(?:/v\d+)?\s+v\d", re.MULTILINE)
_GEM = re.compile(r"""^\s*gem\s+["']([\w-]+)["']|^ {4}([\w-]+) \(""", re.MULTILINE)
_MAVEN = re.compile(r"<groupId>([\w.]+)</groupId>|[\"']([\w.]+):[\w.-]+(?::[\w.-]+)?[\"']|id\s*\(?[\"']([\w.]+)[\"']")
_NUGET = re.compile(r"<PackageReference\s+Include=\"([\w.]+)\"", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Project:
    """What a folder says of the service: framework, Stripe library and start command, each where it is named."""

    framework: str = ""
    sdk: str = ""
    start: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def read_project(folder: Path) -> Project:
    """Return what the files of a folder say of the service that is developed there; of the folder itself only."""
    packages: set[str] = set()
    told: list[str] = []
    for pattern, read in _READERS.items():
        for file in sorted(folder.glob(pattern)):
            found = set(_read(file, read))
            packages |= found
            told += [file.name] if found else []
    framework = next((name for name, wanted in _FRAMEWORKS.items() if packages.intersection(wanted)), "")
    sdks = [sdk for package, sdk in _SDKS.items() if package in packages]
    # With several, whichever verifies cannot be told from here.
    return Project(framework, sdks[0] if len(sdks) == 1 else "", _find_start(folder), tuple(told))


def _read(file: Path, read: Callable[[str], Iterable[str]]) -> Iterable[str]:
    """Return the packages that a file names; none where it cannot be read: what it holds is not our affair."""
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return ()
        return tuple(read(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return ()


def _read_requirements(text: str) -> Iterator[str]:
    return (f"pypi:{_normalise(name)}" for name in _REQUIREMENT.findall(text))


def _read_pyproject(text: str) -> Iterator[str]:
    content = tomllib.loads(text)
    project = content.get("project", {})
    named = [
        *project.get("dependencies", []),
        *(one for more in _values(project, "optional-dependencies") for one in more),
    ]
    named += list(content.get("tool", {}).get("poetry", {}).get("dependencies", {}))
    return (f"pypi:{_normalise(found.group())}" for one in named if (found := _NAME.match(one)))


def _read_lock(text: str) -> Iterator[str]:
    return (f"pypi:{_normalise(one['name'])}" for one in tomllib.loads(text).get("package", []))


def _read_pipfile(text: str) -> Iterator[str]:
    return (f"pypi:{_normalise(name)}" for name in tomllib.loads(text).get("packages", {}))


def _read_package(text: str) -> Iterator[str]:
    content = json.loads(text)
    return (f"npm:{name}" for key in ("dependencies", "devDependencies") for name in content.get(key, {}))


def _read_npm_lock(text: str) -> Iterator[str]:
    """Yield what is installed at the top, where a library that brings Stripe's own puts it too."""
    names = (name.removeprefix("node_modules/") for name in json.loads(text).get("packages", {}))
    return (f"npm:{name}" for name in names if "node_modules/" not in name)


def _read_go(text: str) -> Iterator[str]:
    return iter(["go:module", *(f"go:{name}" for name in _GO.findall(text))])


def _read_composer(text: str) -> Iterator[str]:
    content = json.loads(text)
    named = [*content.get("require", {}), *(one["name"] for one in content.get("packages", []))]
    return (f"composer:{name}" for name in named)


def _read_gems(text: str) -> Iterator[str]:
    return (f"gem:{one or other}" for one, other in _GEM.findall(text))


def _read_maven(text: str) -> Iterator[str]:
    return (f"maven:{name}" for names in _MAVEN.findall(text) for name in names if name)


def _read_nuget(text: str) -> Iterator[str]:
    return (f"nuget:{name.lower()}" for name in _NUGET.findall(text))


_READERS: Mapping[str, Callable[[str], Iterable[str]]] = {
    "requirements*.txt": _read_requirements,
    "requirements*.in": _read_requirements,
    "requirements*.lock": _read_requirements,
    "pyproject.toml": _read_pyproject,
    "uv.lock": _read_lock,
    "poetry.lock": _read_lock,
    "Pipfile": _read_pipfile,
    "package.json": _read_package,
    "package-lock.json": _read_npm_lock,
    "go.mod": _read_go,
    "composer.json": _read_composer,
    "composer.lock": _read_composer,
    "Gemfile": _read_gems,
    "Gemfile.lock": _read_gems,
    "pom.xml": _read_maven,
    "build.gradle": _read_maven,
    "build.gradle.kts": _read_maven,
    "*.csproj": _read_nuget,
}


def _normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _values(table: Mapping[str, Any], key: str) -> Iterable[Any]:
    return tuple(table.get(key, {}).values())


def _find_start(folder: Path) -> tuple[str, ...]:
    """Return the command that starts the service, where a file names it: a Procfile, or the script of a package."""
    procfile = _read(folder / "Procfile", lambda text: re.findall(r"^web:[ \t]*(\S.*?)[ \t]*$", text, re.MULTILINE)[:1])
    if procfile:
        return ("sh", "-c", *procfile)
    scripts = _read(folder / "package.json", lambda text: [*json.loads(text).get("scripts", {})])
    if "start" in scripts:
        return ("npm", "start")
    return ("python", "manage.py", "runserver", "--noreload", "{port}") if (folder / "manage.py").is_file() else ()
