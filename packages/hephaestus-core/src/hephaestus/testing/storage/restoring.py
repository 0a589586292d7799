"""What `put` writes: a run as the new truth."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hephaestus.context import Context
from hephaestus.errors import (
    AlreadyRunning,
    InvalidArgument,
    NotSerializable,
    StaleInstance,
)
from hephaestus.instance import (
    STATUSES,
    ActiveStep,
    FinishedStep,
    Instance,
    Status,
    StepError,
)
from hephaestus.key import new_run_id
from hephaestus.outcome import Halt
from hephaestus.steps import Done
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    ALICE,
    BOB,
    LEASE,
    NOW,
    change,
    commit,
    due,
    ended,
    entry,
    event,
    finished_run,
    lease,
    moved,
    new_run,
    store,
    with_results,
)
from hephaestus.workflow import Workflow

NAIVE = NOW.replace(tzinfo=None)

WRONG_FIELDS: dict[str, list[Any]] = {
    "id": ["orderid\0", "o" * 256, new_run_id()],
    "run_id": ["", "\ud800", "r" * 256, 1],
    "workflow": ["shop.\0", "w" * 256],
    "workflow_version": [2**31],
    "context": [
        {"initial": {}},
        Context(initial=[1]),  # type: ignore[arg-type]  # as the other wrong types
        Context(initial={"total": float("nan")}),
        Context(steps={"\0": {}}),
    ],
    "active": [
        [],
        {"charge": {"state": "ready"}},
        {"\0": ActiveStep(since=NOW)},
        {"charge": ActiveStep(since=NAIVE)},
        {"charge": ActiveStep(since=NOW, deadline=NAIVE)},
        {"charge": ActiveStep(since=NOW, attempt=-1)},
        {"charge": ActiveStep(since=NOW, config={1: 2})},  # type: ignore[dict-item]  # wrong on purpose
    ],
    "finished": [
        {"charge": None},
        {"charge": FinishedStep(event="\ud800")},
        {"charge": FinishedStep(event="done", routes={"\0": None})},
    ],
    "stopped": [
        {"charge": ActiveStep(since=NOW, halt=Halt(prompt="\0"))},
        {"charge": ActiveStep(since=NOW, halt=Halt({"total": float("inf")}))},
    ],
    "runtime_metadata": [None, [1]],
    "telemetry_metadata": [{"total": float("nan")}],
    "tags": ["orders", ["orders"], ("orders", 1), ("\ud800",)],
    "error": [
        "ValueError",
        StepError(step="charge", type="ValueError", message="\0", attempt=1),
    ],
    "execution_history": [(None,), [], (entry("01980000", event="\0"),)],
    "created_at": [NAIVE, None],
    "updated_at": [NAIVE],
    "finished_at": ["2026-07-01"],
    "revision": [-1, 2**63 - 1, True],
    "kept": [-1, 2**63, 1.0],
    "unique_key": ["orders \0", "u" * 601, "", 1],
}
"""What `put` refuses, by field."""


class Parcel(Workflow, unique="parcel"):
    """A workflow that this process knows."""

    start_step = Done


class Restoring:
    """Clauses about restoring and importing runs."""

    async def test_a_run_reads_back_as_it_was_put_at_the_next_revision(
        self, storage: Storage
    ) -> None:
        run = with_results(new_run(initial={"total": 3}, tags=("orders",)), check={"ok": True})

        await storage.put(run)

        assert await storage.get(run.run_id) == moved(run)

    @pytest.mark.parametrize("status", STATUSES)
    async def test_a_run_may_be_put_in_any_status(self, storage: Storage, status: Status) -> None:
        run = new_run(status=status)

        await storage.put(run)

        assert (await storage.get(run.id)).status == status

    async def test_putting_a_stored_run_replaces_it_at_the_revision_after_the_stored_one(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run(initial={"total": 1}))
        await commit(storage, with_results(run, check={}), results=("check",))
        other = msgspec.structs.replace(
            run, status="halted", context=Context(initial={"total": 2}), tags=("fixed",)
        )

        await storage.put(other)

        assert await storage.get(run.run_id) == msgspec.structs.replace(other, revision=3)

    async def test_version_and_time_of_creation_of_a_stored_run_stay(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        later = NOW + timedelta(days=1)

        await storage.put(msgspec.structs.replace(run, workflow_version=2, created_at=later))

        found = await storage.get(run.run_id)
        assert (found.workflow_version, found.created_at) == (1, NOW)

    async def test_times_that_are_missing_become_that_of_creation(self, storage: Storage) -> None:
        run = new_run(status="completed", active={}, updated_at=None, finished_at=None)

        await storage.put(run)

        found = await storage.get(run.run_id)
        assert (found.updated_at, found.finished_at) == (NOW, NOW)

    async def test_a_commit_that_was_computed_before_a_put_is_stale(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        await storage.put(run)

        with pytest.raises(StaleInstance):
            await storage.commit(change(moved(run, status="waiting")))

    async def test_the_history_that_a_run_brings_is_recorded_once(self, storage: Storage) -> None:
        run = new_run()
        first, second = entry(run.run_id), entry(run.run_id)
        await store(storage, run, entries=(first,))

        await storage.put(msgspec.structs.replace(run, execution_history=(first, second)))

        assert await storage.entries(run.run_id) == [first, second]

    async def test_putting_a_run_keeps_its_messages(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)

        await storage.put(run)

        assert [m.id for m in (await storage.load(run.run_id)).inbox] == [paid.id]
        assert not await storage.post(paid)

    async def test_putting_a_run_ends_its_leases(self, storage: Storage) -> None:
        run = new_run()
        await store(storage, run, granted=(lease(run, ALICE),))

        await storage.put(run)

        assert await storage.renew([lease(run, ALICE)], NOW + LEASE, NOW) == [lease(run, ALICE)]
        assert await storage.claim(lease(run, BOB), NOW, results=()) is not None

    async def test_an_unfinished_run_is_due_at_once_whatever_the_time(
        self, storage: Storage
    ) -> None:
        run = new_run()

        await storage.put(run)

        assert await due(storage, run.created_at) == [run.run_id]

    async def test_putting_a_run_ends_its_hand_over(self, storage: Storage) -> None:
        run = await store(storage, new_run(), wake_at=NOW)
        await due(storage, NOW)

        await storage.put(run)

        assert await due(storage, NOW) == [run.run_id]

    async def test_a_finished_run_that_is_put_is_not_due(self, storage: Storage) -> None:
        run = finished_run()

        await storage.put(run)

        assert await due(storage, NOW + timedelta(days=1)) == []

    async def test_a_key_that_another_unfinished_run_holds_refuses_a_put(
        self, storage: Storage
    ) -> None:
        holder = await store(storage, new_run(unique_key="orders 1"))
        other = new_run(unique_key="orders 1")

        with pytest.raises(AlreadyRunning):
            await storage.put(other)

        assert [run.run_id for run in await storage.query()] == [holder.run_id]

    async def test_a_run_from_elsewhere_holds_the_key_that_its_workflow_declares(
        self, storage: Storage
    ) -> None:
        imported = Instance(id="parcel::1", workflow=Parcel.name)
        await storage.put(imported)
        second = Instance(id="parcel::1", workflow=Parcel.name)

        with pytest.raises(AlreadyRunning) as raised:
            await storage.put(second)

        assert raised.value.run_id == imported.run_id
        assert (await storage.get("parcel::1")).unique_key is not None

    @pytest.mark.parametrize("field", WRONG_FIELDS)
    async def test_a_run_that_would_spoil_the_others_is_refused(
        self, storage: Storage, field: str
    ) -> None:
        good = await store(storage, new_run())

        for wrong in WRONG_FIELDS[field]:
            with pytest.raises(InvalidArgument, match=field):
                await storage.put(msgspec.structs.replace(finished_run(), **{field: wrong}))

        assert await storage.query() == [good]

    async def test_a_run_at_the_limits_of_what_is_stored_is_put(self, storage: Storage) -> None:
        run = new_run(
            "o" * 255,
            run_id="r" * 255,
            workflow="w" * 255,
            workflow_version=2**31 - 1,
            unique_key="u" * 600,
            revision=2**63 - 2,
            kept=2**63 - 2,
            tags=("t" * 300, ""),
        )

        await storage.put(run)

        assert await storage.get(run.run_id) == moved(run)

    async def test_a_run_that_holds_its_key_may_be_put_again(self, storage: Storage) -> None:
        run = await store(storage, new_run(unique_key="orders 1"))

        await storage.put(run)

        with pytest.raises(AlreadyRunning):
            await store(storage, new_run(unique_key="orders 1"))

    async def test_a_finished_run_is_put_beside_the_one_that_holds_its_key(
        self, storage: Storage
    ) -> None:
        holder = await store(storage, new_run(unique_key="orders 1"))

        await storage.put(finished_run(unique_key="orders 1"))

        assert await storage.count() == 2
        assert (await storage.get(holder.id)).run_id == holder.run_id

    async def test_putting_a_run_unfinished_takes_its_key_back(self, storage: Storage) -> None:
        run = await store(storage, new_run(unique_key="orders 1"))
        await commit(storage, ended(run, "failed"))

        await storage.put(run)

        with pytest.raises(AlreadyRunning):
            await store(storage, new_run(unique_key="orders 1"))

    async def test_a_run_that_is_put_finished_frees_its_key(self, storage: Storage) -> None:
        run = await store(storage, new_run(unique_key="orders 1"))

        await storage.put(ended(run, "cancelled"))

        await store(storage, new_run(unique_key="orders 1"))

    async def test_a_run_that_is_put_under_another_key_frees_the_first(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run(unique_key="orders 1"))

        await storage.put(msgspec.structs.replace(run, unique_key="orders 2"))

        await store(storage, new_run(unique_key="orders 1"))
        with pytest.raises(AlreadyRunning):
            await store(storage, new_run(unique_key="orders 2"))

    async def test_a_run_that_is_put_under_another_id_is_found_by_that_alone(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run("orderid::1"))

        await storage.put(msgspec.structs.replace(run, id="orderid::2"))

        assert (await storage.get("orderid::2")).run_id == run.run_id
        assert await storage.ids() == ["orderid::2"]

    async def test_what_cannot_be_stored_is_refused_and_changes_nothing(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run(initial={"total": 1}))
        other = msgspec.structs.replace(run, context=Context(initial={"total": float("nan")}))

        with pytest.raises(NotSerializable):
            await storage.put(other)

        assert await storage.get(run.run_id) == run

    async def test_fifty_runs_put_at_once_are_all_there(self, storage: Storage) -> None:
        runs = [new_run(f"orderid::{n}") for n in range(50)]

        await asyncio.gather(*(storage.put(run) for run in runs))

        assert {run.id for run in await storage.query()} == {run.id for run in runs}
