"""What a release of one package is made of: its folder, its version, its changelog."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNRELEASED = "## [Unreleased]"
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?")
RELEASED = re.compile(rf"## \[({VERSION.pattern})\] - (\d{{4}}-\d\d-\d\d)")
ASSIGNMENT = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Package:
    """One distribution of this repository."""

    folder: Path

    @property
    def name(self) -> str:
        """The name under which it is published."""
        return self.folder.name

    @property
    def module(self) -> str:
        """The name under which it is imported."""
        return self.about.parent.name

    @property
    def changelog(self) -> Path:
        """The file that tells its users what changed."""
        return self.folder / "CHANGELOG.md"

    @property
    def about(self) -> Path:
        """The file from which the build reads the version."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text("utf-8"))
        return self.folder / str(project["tool"]["hatch"]["version"]["path"])

    @property
    def version(self) -> str:
        """The version that a build would get now."""
        found = ASSIGNMENT.search(self.about.read_text("utf-8"))
        if found is None:
            raise ValueError(f"{self.about} assigns no __version__")
        return found[1]


@dataclass(frozen=True, kw_only=True)
class Release:
    """A released heading of a changelog."""

    version: str
    day: date


def packages(root: Path = ROOT) -> list[Package]:
    """Return the packages, in the order of their names."""
    return [Package(folder=file.parent) for file in sorted(root.glob("packages/*/pyproject.toml"))]


def package(name: str, root: Path = ROOT) -> Package:
    """Return the package of that name."""
    found = {each.name: each for each in packages(root)}
    if name not in found:
        raise ValueError(f"there is no package {name!r}; there are {', '.join(found)}")
    return found[name]


def release(heading: str) -> Release | None:
    """Read a heading such as `## [0.1.0] - 2026-11-20`; return nothing where it is not one."""
    found = RELEASED.fullmatch(heading)
    if found is None:
        return None
    try:
        return Release(version=found[1], day=date.fromisoformat(found[found.lastindex or 0]))
    except ValueError:
        return None


def order(version: str) -> tuple[int, int, int, str, int]:
    """Return a key that sorts versions: a pre-release comes before its release."""
    found = VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"{version!r} is not a version such as 0.2.0 or 0.2.0rc1")
    major, minor, patch, stage, number = found.groups()
    return int(major), int(minor), int(patch), stage or "z", int(number or 0)
