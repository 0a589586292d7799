"""The pytest plugin: its fixtures, in test runs of their own."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest

import hephaestus

pytest_plugins = ["pytester"]
PLUGIN = "pytest_hephaestus.plugin"
WORKFLOW = """
    import pytest
    from hephaestus import Done, Hephaestus, MemoryStorage, Wait, Workflow
    from hephaestus.clock import SystemClock

    rest = Wait(3 * 86_400, key="rest")

    class Resting(Workflow, unique="restid"):
        start_step = rest
        transitions = {rest: {"timeout": Done}}
"""


@pytest.fixture(autouse=True)
def _from_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(hephaestus.__file__).parents[1]))


def run(pytester: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    """Run a test file, with the plugin whether or not the package is installed."""
    is_installed = any(PLUGIN == each.value for each in entry_points(group="pytest11"))
    pytester.makepyfile(test)
    return pytester.runpytest_subprocess(
        *([] if is_installed else ["-p", PLUGIN]), "--asyncio-mode=strict", *options
    )


def test_a_test_has_a_running_app_and_moves_its_clock(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        WORKFLOW
        + """
    @pytest.mark.asyncio
    async def test_three_days_pass(hephaestus_app, hephaestus_clock, hephaestus_storage):
        run = await Resting.start("1")
        assert 1 == await hephaestus_storage.count(status="waiting")

        await hephaestus_clock.advance(3 * 86_400)

        assert "completed" == (await run.wait(5)).status
        assert hephaestus_app is run.app

    @pytest.mark.asyncio
    async def test_the_next_test_begins_with_nothing(hephaestus_app):
        assert 0 == await hephaestus_app.count()
    """,
    )

    result.assert_outcomes(passed=2)


def test_storage_and_clock_can_be_overridden(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        WORKFLOW
        + """
    class Mine(MemoryStorage):
        pass

    @pytest.fixture
    def hephaestus_storage():
        return Mine()

    @pytest.fixture
    def hephaestus_clock():
        return SystemClock()

    @pytest.mark.asyncio
    async def test_mine_are_used(hephaestus_app):
        assert isinstance(hephaestus_app.storage, Mine)
        assert isinstance(hephaestus_app.clock, SystemClock)
    """,
    )

    result.assert_outcomes(passed=1)


def test_a_run_that_asks_for_no_fixture_of_ours_imports_nothing_of_ours(
    pytester: pytest.Pytester,
) -> None:
    result = run(
        pytester,
        """
    import sys

    def test_nothing_is_imported():
        assert "pytest_hephaestus.plugin" in sys.modules
        assert "hephaestus" not in sys.modules
        assert "msgspec" not in sys.modules
    """,
    )

    result.assert_outcomes(passed=1)


def test_without_pytest_asyncio_the_error_says_what_to_install(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("")
    result = pytester.runpython_c(
        """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "pytest_asyncio" else find(name, *a)
import pytest_hephaestus.plugin as plugin
try:
    plugin.hephaestus_app.__wrapped__()
except Exception as error:
    print(type(error).__name__, error)
"""
    )

    result.stdout.fnmatch_lines(["UsageError hephaestus_app needs pytest-asyncio: pip install *"])


def test_pytest_describes_the_fixtures(pytester: pytest.Pytester) -> None:
    result = run(pytester, "", "--fixtures")

    result.stdout.fnmatch_lines(
        ["hephaestus_clock*", "hephaestus_storage*", "hephaestus_app*"], consecutive=False
    )
