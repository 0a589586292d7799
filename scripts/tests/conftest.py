"""A package to release, in a repository of its own."""

from pathlib import Path

import pytest

from releases import Package

PROJECT = '[tool.hatch.version]\npath = "src/tool_one/__about__.py"\n'
CHANGELOG = """\
# Changelog of tool-one

## [Unreleased]

### Added

- A thing.

## [0.1.0] - 2026-11-20

### Added

- The first thing.
"""


@pytest.fixture
def tool(tmp_path: Path) -> Package:
    """Return a package that is at 0.1.0 and has an entry for its next release."""
    folder = tmp_path / "packages" / "tool-one"
    about = folder / "src" / "tool_one" / "__about__.py"
    about.parent.mkdir(parents=True)
    about.write_text('"""The version."""\n\n__version__ = "0.1.0"\n', "utf-8")
    (folder / "pyproject.toml").write_text(PROJECT, "utf-8")
    (folder / "CHANGELOG.md").write_text(CHANGELOG, "utf-8")
    return Package(folder=folder)
