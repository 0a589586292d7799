"""What `create` promises: a run once, and one unfinished run of a key."""

import asyncio

import pytest

from hephaestus.errors import AlreadyRunning, InstanceNotFound, NotSerializable
from hephaestus.instance import Instance, Status
from hephaestus.key import Scope, Unique, unique_key
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    NOW,
    change,
    commit,
    due,
    ended,
    entry,
    finished_run,
    lease,
    new_run,
    store,
    with_results,
)

ORDERS = ("shop.Orders", 1)
ORDERS_2 = ("shop.Orders", 2)
RETURNS = ("shop.Returns", 1)


def scoped_run(scope: Scope, workflow: str, version: int) -> Instance:
    """Return a run of one id that holds its key in a scope."""
    key = unique_key(Unique("orderid", scope), "orderid::1", workflow, version)
    return new_run(workflow=workflow, workflow_version=version, unique_key=key)


class Creating:
    """Clauses about creating runs."""

    async def test_a_run_reads_back_as_it_was_created(self, storage: Storage) -> None:
        run = with_results(new_run(initial={"total": 3}, tags=("orders",)), check={"ok": True})

        await storage.create(change(run, results=("check",)))

        assert await storage.get(run.run_id) == run

    async def test_a_run_is_created_with_its_first_entries_and_leases(
        self, storage: Storage
    ) -> None:
        run = new_run()
        first, second = entry(run.run_id), entry(run.run_id)

        await storage.create(change(run, entries=(first, second), granted=(lease(run),)))

        assert (await storage.load(run.run_id)).leases == (lease(run),)
        assert await storage.entries(run.run_id) == [first, second]

    async def test_a_repeated_create_changes_nothing(self, storage: Storage) -> None:
        run = new_run(unique_key="orders 1")
        creation = change(run, entries=(entry(run.run_id),))
        await storage.create(creation)

        await storage.create(creation)

        assert await storage.get(run.run_id, history=False) == run
        assert await storage.entries(run.run_id) == list(creation.entries)

    async def test_a_create_that_is_repeated_after_the_run_moved_on_changes_nothing(
        self, storage: Storage
    ) -> None:
        run = new_run(unique_key="orders 1")
        creation = change(run, wake_at=NOW)
        await storage.create(creation)
        finished = await commit(storage, ended(run))

        await storage.create(creation)

        assert await storage.get(run.run_id) == finished
        assert await due(storage) == []

    async def test_simultaneous_repeats_of_one_create_make_one_run(self, storage: Storage) -> None:
        run = new_run(unique_key="orders 1")
        creation = change(run, entries=(entry(run.run_id),))

        await asyncio.gather(*(storage.create(creation) for _ in range(10)))

        assert await storage.count() == 1
        assert await storage.entries(run.run_id) == list(creation.entries)

    async def test_a_key_that_is_taken_refuses_another_run(self, storage: Storage) -> None:
        await store(storage, new_run("orderid::1", unique_key="orders 1"))
        second = new_run("orderid::1", unique_key="orders 1")

        with pytest.raises(AlreadyRunning) as raised:
            await storage.create(change(second))

        assert raised.value.instance_id == "orderid::1"

    async def test_a_refused_run_leaves_nothing_behind(self, storage: Storage) -> None:
        holder = await store(storage, new_run(unique_key="orders 1"))
        second = new_run(unique_key="orders 1")

        with pytest.raises(AlreadyRunning):
            await store(
                storage,
                second,
                entries=(entry(second.run_id),),
                granted=(lease(second),),
                wake_at=NOW,
            )

        assert await storage.get(holder.id) == holder
        assert await storage.entries(second.run_id) == []
        assert await due(storage) == []
        with pytest.raises(InstanceNotFound):
            await storage.load(second.run_id)

    async def test_what_cannot_be_stored_is_refused_and_takes_no_key(
        self, storage: Storage
    ) -> None:
        refused = new_run(initial={"total": float("nan")}, unique_key="orders 1")

        with pytest.raises(NotSerializable):
            await store(storage, refused, entries=(entry(refused.run_id),))

        await store(storage, new_run(unique_key="orders 1"))
        assert await storage.entries(refused.run_id) == []

    @pytest.mark.parametrize(
        ("scope", "first", "second"),
        [
            ("workflow", ORDERS, ORDERS),
            ("workflow", ORDERS, ORDERS_2),
            ("version", ORDERS, ORDERS),
            ("global", ORDERS, ORDERS_2),
            ("global", ORDERS, RETURNS),
        ],
    )
    async def test_within_a_scope_an_id_runs_once(
        self, storage: Storage, scope: Scope, first: tuple[str, int], second: tuple[str, int]
    ) -> None:
        await store(storage, scoped_run(scope, *first))

        with pytest.raises(AlreadyRunning):
            await store(storage, scoped_run(scope, *second))

    @pytest.mark.parametrize(
        ("scope", "first", "second"),
        [
            ("workflow", ORDERS, RETURNS),
            ("version", ORDERS, ORDERS_2),
            ("version", ORDERS, RETURNS),
            ("none", ORDERS, ORDERS),
        ],
    )
    async def test_outside_of_its_scope_an_id_runs_beside_itself(
        self, storage: Storage, scope: Scope, first: tuple[str, int], second: tuple[str, int]
    ) -> None:
        runs = [scoped_run(scope, *first), scoped_run(scope, *second)]

        for run in runs:
            await store(storage, run)

        assert await storage.count(id="orderid::1") == 2

    @pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
    async def test_a_run_that_ended_frees_its_key(self, storage: Storage, status: Status) -> None:
        first = await store(storage, new_run(unique_key="orders 1"))
        await commit(storage, ended(first, status))

        second = await store(storage, new_run(unique_key="orders 1"))

        assert (await storage.get(first.id)).run_id == second.run_id
        assert await storage.count() == 2

    async def test_a_run_that_is_created_finished_holds_no_key(self, storage: Storage) -> None:
        await store(storage, finished_run(unique_key="orders 1"))

        await store(storage, new_run(unique_key="orders 1"))

        assert await storage.count() == 2

    async def test_of_a_hundred_simultaneous_creates_of_a_key_one_succeeds(
        self, storage: Storage
    ) -> None:
        runs = [new_run(unique_key="orders 1") for _ in range(100)]

        outcomes = await asyncio.gather(
            *(storage.create(change(run)) for run in runs), return_exceptions=True
        )

        refusals = [outcome for outcome in outcomes if outcome is not None]
        assert [type(refusal) for refusal in refusals] == [AlreadyRunning] * 99
        stored = (await storage.get("orderid::1")).run_id
        assert outcomes[[run.run_id for run in runs].index(stored)] is None

    async def test_fifty_simultaneous_creates_of_different_keys_all_succeed(
        self, storage: Storage
    ) -> None:
        runs = [new_run(f"orderid::{n}", unique_key=f"orders {n}") for n in range(50)]

        await asyncio.gather(*(storage.create(change(run)) for run in runs))

        assert await storage.count() == 50
