"""What `record` and `entries` promise: the audit trail of a run."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hephaestus.errors import AmbiguousInstance, InvalidArgument, NotSerializable
from hephaestus.instance import StepError
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    NOW,
    change,
    entry,
    finished_run,
    moved,
    new_run,
    some_run_id,
    store,
)

WRONG_FIELDS: dict[str, list[Any]] = {
    "id": ["", "\0", "e" * 301, None],
    "run_id": ["", "\0", "r" * 256],
    "step": ["\0", 1],
    "step_type": ["\ud800"],
    "action": ["ended", None],
    "event": ["\0", 1],
    "attempt": ["1", True, -1, 2**31],
    "duration": ["1", True, float("inf"), float("nan"), 10**400],
    "input": [[1], {"total": float("nan")}],
    "output": ["done", {"\0": 1}],
    "error": [
        "ValueError",
        StepError(step="charge", type="ValueError", message="\0", attempt=1),
    ],
    "timestamp": [NOW.replace(tzinfo=None), "2026-07-01", None],
}
"""What `record` refuses, by field."""


class Histories:
    """Clauses about the entries of runs."""

    async def test_an_entry_reads_back_as_it_was_recorded(self, storage: Storage) -> None:
        full = entry(
            some_run_id(),
            step="charge",
            step_type="shop.steps.Charge",
            action="failed",
            event="done",
            attempt=3,
            duration=0.125,
            input={"currency": "EUR"},
            output={"amount": 30},
            error=StepError(step="charge", type="ValueError", message="no\nmoney", attempt=3),
        )

        await storage.record(full)

        assert await storage.entries(full.run_id) == [full]

    async def test_an_entry_of_the_run_as_a_whole_has_no_step(self, storage: Storage) -> None:
        bare = entry(some_run_id(), step=None, action="cancelled")

        await storage.record(bare)

        assert await storage.entries(bare.run_id) == [bare]

    async def test_no_data_and_empty_data_are_told_apart(self, storage: Storage) -> None:
        run_id = some_run_id()
        recorded = [entry(run_id, input=None, output={}), entry(run_id, input={}, output=None)]

        for one in recorded:
            await storage.record(one)

        assert await storage.entries(run_id) == recorded

    async def test_a_run_that_is_not_stored_may_have_a_history(self, storage: Storage) -> None:
        first = entry(some_run_id())

        await storage.record(first)

        assert await storage.entries(first.run_id) == [first]
        assert await storage.count() == 0

    async def test_a_run_finds_what_was_recorded_before_it_was_stored(
        self, storage: Storage
    ) -> None:
        run = new_run()
        before, first = entry(run.run_id), entry(run.run_id)
        await storage.record(before)

        await store(storage, run, entries=(first,))

        assert (await storage.get(run.run_id)).execution_history == (before, first)

    @pytest.mark.parametrize("field", WRONG_FIELDS)
    async def test_an_entry_that_not_every_storage_could_keep_is_refused(
        self, storage: Storage, field: str
    ) -> None:
        run = await store(storage, new_run())

        for wrong in WRONG_FIELDS[field]:
            with pytest.raises(InvalidArgument, match=field):
                await storage.record(msgspec.structs.replace(entry(run.run_id), **{field: wrong}))

        assert await storage.entries(run.run_id) == []

    async def test_an_entry_at_the_limits_of_what_is_stored_is_recorded(
        self, storage: Storage
    ) -> None:
        longest = entry("r" * 255, id="e" * 300, attempt=2**31 - 1, duration=1e300)

        await storage.record(longest)

        assert await storage.entries(longest.run_id) == [longest]

    @pytest.mark.parametrize(
        "id", [pytest.param(some_run_id(), id="a run id"), "orderid::2", "", "orderid::\x00"]
    )
    async def test_without_entries_a_history_is_empty(self, storage: Storage, id: str) -> None:
        run = await store(storage, new_run("orderid::1"))

        histories = [await storage.entries(id), await storage.entries(run.id)]

        assert histories == [[], []]

    async def test_entries_come_in_the_order_of_arrival_whatever_their_times(
        self, storage: Storage
    ) -> None:
        run = new_run()
        times = [NOW - timedelta(hours=hours) for hours in (1, 3, 2, 0, 4, 5)]
        a, b, c, d, e, f = (
            entry(run.run_id, id=id, timestamp=time)
            for id, time in zip(("3", "1", "2", "6", "4", "5"), times, strict=True)
        )

        await store(storage, run, entries=(a, b))
        await storage.record(c)
        await storage.commit(change(moved(run), entries=(d, e)))
        await storage.record(f)

        assert await storage.entries(run.run_id) == [a, b, c, d, e, f]

    async def test_each_entry_is_recorded_once(self, storage: Storage) -> None:
        first, second = (entry(run_id) for run_id in [some_run_id()] * 2)
        await storage.record(first)
        await storage.record(second)

        await storage.record(msgspec.structs.replace(first, output={"amount": 30}))

        assert await storage.entries(first.run_id) == [first, second]

    async def test_an_entry_recorded_by_many_at_once_is_recorded_once(
        self, storage: Storage
    ) -> None:
        first = entry(some_run_id())

        await asyncio.gather(*(storage.record(first) for _ in range(20)))

        assert await storage.entries(first.run_id) == [first]

    async def test_histories_never_mix(self, storage: Storage) -> None:
        runs = [await store(storage, finished_run()) for _ in range(2)]
        entries = {run.run_id: [entry(run.run_id) for _ in range(3)] for run in runs}

        for n in range(3):
            for run in runs:
                await storage.record(entries[run.run_id][n])

        assert {run.run_id: await storage.entries(run.run_id) for run in runs} == entries

    async def test_the_history_of_an_id_is_that_of_the_run_it_means(self, storage: Storage) -> None:
        old = await store(storage, finished_run())
        run = await store(storage, new_run())
        await storage.record(entry(old.run_id))
        own = entry(run.run_id)
        await storage.record(own)

        history = await storage.entries(run.id)

        assert history == [own]

    async def test_the_history_of_an_ambiguous_id_is_refused(self, storage: Storage) -> None:
        for _ in range(2):
            await store(storage, new_run())

        with pytest.raises(AmbiguousInstance):
            await storage.entries("orderid::1")

    async def test_an_entry_that_cannot_be_stored_is_refused(self, storage: Storage) -> None:
        refused = entry(some_run_id(), output={"total": float("nan")})

        with pytest.raises(NotSerializable):
            await storage.record(refused)

        assert await storage.entries(refused.run_id) == []
