"""Give one package its next version, and date the changelog's heading for it.

    python scripts/bump.py hephaestus-core 0.2.0

It writes two files and commits nothing; RELEASING.md says what comes next.
"""

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from releases import ASSIGNMENT, ROOT, UNRELEASED, Package, order, package
from validate_changelogs import releases_of


def main(argv: list[str], root: Path = ROOT) -> int:
    """Bump the package that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", help="such as hephaestus-core")
    parser.add_argument("version", help="such as 0.2.0, or 0.2.0rc1")
    parser.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date())
    given = parser.parse_args(argv)
    try:
        bump(package(given.package, root), given.version, given.date)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{given.package} is {given.version}; the tag will be {given.package}-v{given.version}")
    return 0


def bump(bumped: Package, version: str, day: date) -> None:
    """Write the version and the dated heading, or refuse before anything is written."""
    changelog = dated(bumped.changelog.read_text("utf-8"), version, day)
    about = bumped.about.read_text("utf-8")
    bumped.about.write_text(ASSIGNMENT.sub(f'__version__ = "{version}"', about), "utf-8")
    bumped.changelog.write_text(changelog, "utf-8")


def dated(text: str, version: str, day: date) -> str:
    """Return a changelog whose unreleased entries belong to a version now."""
    place, released = order(version), releases_of(text)
    if released and place <= order(released[0].version):
        raise ValueError(f"{version} does not come after {released[0].version}")
    before, heading, after = text.partition(f"{UNRELEASED}\n")
    entries = after.partition("\n## ")[0]
    if not heading or "\n- " not in entries:
        raise ValueError(f"nothing stands under {UNRELEASED!r}: what would users gain?")
    return f"{before}{heading}\n## [{version}] - {day}\n{after}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
