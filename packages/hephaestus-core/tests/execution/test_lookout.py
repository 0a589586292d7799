"""What keeps a run from being advanced is told once, however often the run is found due."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast

import pytest

from hephaestus import MemoryStorage
from hephaestus.clock import SystemClock
from hephaestus.errors import DamagedInstance, InstanceNotFound
from hephaestus.execution import Execution, Lookout


class Advances:
    """Stands for an execution whose advances end one after the other as told."""

    def __init__(self, *ends: Exception | None) -> None:
        self._ends: Iterator[Exception | None] = iter(ends)

    async def advance(self, _: str, **__: object) -> None:
        """End as told."""
        error = next(self._ends)
        if error is not None:
            raise error


def damaged(reason: str) -> DamagedInstance:
    return DamagedInstance("run-1", reason)


@pytest.mark.parametrize(
    ("ends", "warnings"),
    [
        ([damaged("torn"), damaged("torn"), damaged("torn")], 1),
        ([damaged("torn"), damaged("burnt"), damaged("torn")], 3),
        ([damaged("torn"), None, damaged("torn")], 2),
        ([ZeroDivisionError("1/0"), ZeroDivisionError("1/0")], 1),
        ([InstanceNotFound("run-1")], 0),
    ],
    ids=["the same", "another", "advanced meanwhile", "unforeseen", "gone"],
)
async def test_a_run_that_cannot_be_advanced_is_told_once(
    caplog: pytest.LogCaptureFixture, ends: list[Exception | None], warnings: int
) -> None:
    lookout = lookout_of(Advances(*ends))

    for _ in ends:
        await lookout.advance("run-1")

    told = [record for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == len(told)


async def test_an_error_that_is_none_of_ours_is_told_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lookout = lookout_of(Advances(ZeroDivisionError("1/0")))

    await lookout.advance("run-1")

    (record,) = caplog.records
    assert record.exc_info is not None


async def test_no_more_runs_are_remembered_than_may_be(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hephaestus.execution.lookout._MOST_TOLD", 2)
    lookout = lookout_of(Advances(*[damaged("torn")] * 4))

    for run_id in ["run-1", "run-2", "run-3", "run-1"]:
        await lookout.advance(run_id)

    assert 4 == len(caplog.records)


def lookout_of(execution: Advances) -> Lookout:
    """Return a lookout that looks for nothing by itself."""
    unused = cast("Callable[..., Any]", None)
    return Lookout(
        cast("Execution", execution), MemoryStorage(), SystemClock(),
        app="app", poll=timedelta(1), limit=unused, hand_over=unused, spawn=unused,
    )  # fmt: skip
