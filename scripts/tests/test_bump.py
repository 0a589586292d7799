"""A bump writes the version and the dated heading, or nothing."""

from pathlib import Path

import pytest

import bump
import validate_changelogs
from releases import Package


def test_a_bump_writes_the_version_and_dates_the_entries(tool: Package, tmp_path: Path) -> None:
    code = bump.main(["tool-one", "0.2.0", "--date", "2026-12-01"], tmp_path)

    assert 0 == code
    assert "0.2.0" == tool.version
    expected = "## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- A thing.\n"
    assert expected in tool.changelog.read_text("utf-8")


def test_what_a_bump_writes_is_ready_for_its_tag(tool: Package, tmp_path: Path) -> None:
    bump.main(["tool-one", "0.2.0rc1"], tmp_path)

    code = validate_changelogs.main(["--tag", f"{tool.name}-v0.2.0rc1"], tmp_path)

    assert 0 == code


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "0.1.0rc1", "1.0", "next"])
def test_a_version_that_is_not_the_next_is_refused(
    version: str, tool: Package, tmp_path: Path
) -> None:
    before = tool.changelog.read_text("utf-8")

    code = bump.main(["tool-one", version], tmp_path)

    assert 1 == code
    assert "0.1.0" == tool.version
    assert before == tool.changelog.read_text("utf-8")


def test_a_release_that_gives_users_nothing_is_refused(
    tool: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool.changelog.write_text("# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-20\n")

    code = bump.main(["tool-one", "0.2.0"], tmp_path)

    assert 1 == code
    assert "nothing stands under" in capsys.readouterr().err


def test_an_unknown_package_is_answered_with_those_that_exist(
    tool: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = bump.main(["tool-two", "0.2.0"], tmp_path)

    assert 1 == code
    assert f"there is no package 'tool-two'; there are {tool.name}" in capsys.readouterr().err


def test_the_first_release_may_keep_the_version_that_it_has(tool: Package, tmp_path: Path) -> None:
    tool.changelog.write_text("# Changelog\n\n## [Unreleased]\n\n### Added\n\n- All.\n")

    code = bump.main(["tool-one", "0.1.0", "--date", "2026-12-01"], tmp_path)

    assert 0 == code
    assert "## [0.1.0] - 2026-12-01" in tool.changelog.read_text("utf-8")
