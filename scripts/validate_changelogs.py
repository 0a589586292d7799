"""Check every changelog: its headings, their order, and that the newest one is the version.

    python scripts/validate_changelogs.py
    python scripts/validate_changelogs.py --tag hephaestus-core-v0.1.0

With a tag, only its package is checked, and must be ready to be released as the tag says.
"""

import argparse
import sys
from itertools import pairwise
from pathlib import Path

from releases import ROOT, UNRELEASED, Package, Release, order, package, packages, release

CHANGES = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def main(argv: list[str], root: Path = ROOT) -> int:
    """Print what is wrong, a line each; return whether anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tag", help="the tag of the release, <package>-v<version>")
    tag = parser.parse_args(argv).tag
    wrong = tag_problems(tag, root) if tag else all_problems(root)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def all_problems(root: Path) -> list[str]:
    """Return what is wrong with the changelogs, package by package."""
    return [
        f"{each.name}: {problem}"
        for each in packages(root)
        for problem in problems(each.changelog.read_text("utf-8"), each.version)
    ]


def tag_problems(tag: str, root: Path) -> list[str]:
    """Return why a tag must not be released."""
    name, _, version = tag.rpartition("-v")
    try:
        tagged = package(name, root)
    except ValueError as error:
        return [f"the tag {tag!r} names no package: {error}"]
    return [f"{name}: {problem}" for problem in unready(tagged, version)]


def unready(tagged: Package, version: str) -> list[str]:
    """Return why a package is not ready to be released under a version."""
    text = tagged.changelog.read_text("utf-8")
    wrong = problems(text, tagged.version)
    if tagged.version != version:
        wrong.append(f"the tag says {version}, but the package is {tagged.version}")
    if version not in {each.version for each in releases_of(text)}:
        wrong.append(f"its changelog has no heading for {version}; run scripts/bump.py")
    return wrong


def problems(text: str, version: str) -> list[str]:
    """Return what is wrong with a changelog of a package that is at a version."""
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    wrong = [
        f"{heading!r} is neither {UNRELEASED!r} nor '## [1.2.3] - 2026-11-20'"
        for heading in headings
        if heading != UNRELEASED and release(heading) is None
    ]
    wrong += [
        f"{line!r} is none of {', '.join(CHANGES)}"
        for line in text.splitlines()
        if line.startswith("### ") and line.removeprefix("### ") not in CHANGES
    ]
    if UNRELEASED in headings[1:]:
        wrong.append(f"{UNRELEASED!r} belongs above every released heading, once")
    return wrong + order_problems(releases_of(text)) + version_problems(text, version)


def order_problems(released: list[Release]) -> list[str]:
    """Return where the newest release does not come first."""
    return [
        f"{newer.version} of {newer.day} stands above {older.version} of {older.day}"
        for newer, older in pairwise(released)
        if order(newer.version) <= order(older.version) or newer.day < older.day
    ]


def version_problems(text: str, version: str) -> list[str]:
    """Return whether the newest heading and the version tell different stories."""
    released = releases_of(text)
    if released and released[0].version != version:
        return [f"the newest heading is {released[0].version}, but the version is {version}"]
    if not released and UNRELEASED not in text.splitlines():
        return [f"it has neither a released heading nor {UNRELEASED!r}"]
    return []


def releases_of(text: str) -> list[Release]:
    """Return the released headings, as they stand."""
    return [found for line in text.splitlines() if (found := release(line)) is not None]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
