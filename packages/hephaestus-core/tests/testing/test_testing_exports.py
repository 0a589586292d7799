import subprocess
import sys

import pytest

from hephaestus import testing

HELPERS = [
    "Attempt",
    "CapturedEvents",
    "Harness",
    "TelemetryEvent",
    "VirtualClock",
    "capture_events",
]
SUITES = ["RunnerContract", "StorageContract"]
WITHOUT_PYTEST = "import sys; sys.modules['pytest'] = None; from hephaestus.testing import "


def test_the_names_are_those_that_are_promised() -> None:
    assert sorted(HELPERS + SUITES) == testing.__all__
    assert set(testing.__all__) <= set(dir(testing))


@pytest.mark.parametrize("name", HELPERS + SUITES)
def test_each_name_can_be_imported(name: str) -> None:
    assert isinstance(getattr(testing, name).__name__, str)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Storage'"):
        _ = testing.Storage


def test_the_helpers_need_no_pytest() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYTEST + ", ".join(HELPERS)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (run.returncode, run.stderr)


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_without_pytest_says_what_to_install(name: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYTEST + name], capture_output=True, text=True, check=False
    )

    assert f'{name} needs pytest: pip install "hephaestus-core[testing]"' in run.stderr
