"""A changelog that misleads its readers does not pass."""

from pathlib import Path

import pytest

import validate_changelogs
from releases import Package, order


def test_a_sound_changelog_passes(tool: Package) -> None:
    assert [] == validate_changelogs.problems(tool.changelog.read_text("utf-8"), "0.1.0")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("## 0.1.0\n", "'## 0.1.0' is neither"),
        ("## [0.1.0] - 2026-02-30\n", "is neither"),
        ("## [0.1.0] - 2026-01-01\n\n## [Unreleased]\n", "belongs above"),
        ("## [Unreleased]\n\n### New\n", "'### New' is none of"),
        (
            "## [0.1.0] - 2026-01-01\n\n## [0.2.0] - 2026-01-01\n",
            "0.1.0 of 2026-01-01 stands",
        ),
        (
            "## [0.1.0] - 2026-01-01\n\n## [0.0.1] - 2026-01-02\n",
            "0.1.0 of 2026-01-01 stands",
        ),
        ("## [0.2.0] - 2026-01-01\n", "the newest heading is 0.2.0, but the version is 0.1.0"),
        ("# Changelog\n", "neither a released heading"),
    ],
)
def test_what_is_wrong_is_said(text: str, complaint: str) -> None:
    wrong = validate_changelogs.problems(text, "0.1.0")

    assert any(complaint in line for line in wrong), wrong


@pytest.mark.parametrize(
    ("tag", "complaint"),
    [
        ("tool-one-v0.2.0", "the tag says 0.2.0, but the package is 0.1.0"),
        ("tool-two-v0.1.0", "there is no package 'tool-two'"),
        ("v0.1.0", "names no package"),
    ],
)
def test_a_tag_that_its_package_does_not_bear_out_is_refused(
    tag: str, complaint: str, tool: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = validate_changelogs.main(["--tag", tag], tmp_path)

    assert 1 == code
    assert "0.1.0" == tool.version
    assert complaint in capsys.readouterr().err


def test_the_tag_of_what_was_released_passes(tool: Package, tmp_path: Path) -> None:
    assert 0 == validate_changelogs.main(["--tag", f"{tool.name}-v0.1.0"], tmp_path)


def test_every_package_is_read_and_named(
    tool: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool.changelog.write_text("## soon\n")

    code = validate_changelogs.main([], tmp_path)

    assert 1 == code
    assert "tool-one: '## soon' is neither" in capsys.readouterr().err


def test_a_pre_release_comes_before_its_release() -> None:
    versions = ["0.2.0", "0.2.0rc1", "0.10.0", "0.2.0a2", "0.1.9"]

    assert ["0.1.9", "0.2.0a2", "0.2.0rc1", "0.2.0", "0.10.0"] == sorted(versions, key=order)
