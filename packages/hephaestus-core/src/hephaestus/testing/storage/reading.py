"""What `get` and `load` return."""

import asyncio
from datetime import timedelta

import pytest

from hephaestus.errors import AmbiguousInstance, InstanceNotFound
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    change,
    commit,
    ended,
    entry,
    event,
    finished_run,
    lease,
    moved,
    new_run,
    run_ids,
    some_run_id,
    store,
)


class Reading:
    """Clauses about reading one run."""

    @pytest.mark.parametrize("by", ["id", "run_id"])
    async def test_a_run_is_found_by_its_id_and_by_its_run_id(
        self, storage: Storage, by: str
    ) -> None:
        run = await store(storage, new_run())

        found = await storage.get(getattr(run, by))

        assert found == run

    @pytest.mark.parametrize(
        "id",
        [
            "orderid::2",
            pytest.param(some_run_id(), id="a run id"),
            "",
            "%",
            "orderid::1\x00",
            "orderid::\ud800",
            "x" * 999,
        ],
    )
    async def test_an_id_that_no_run_has_is_not_found(self, storage: Storage, id: str) -> None:
        await store(storage, new_run("orderid::1"))

        with pytest.raises(InstanceNotFound) as raised:
            await storage.get(id)

        assert raised.value.instance_id == id

    async def test_an_id_means_the_unfinished_run_before_a_newer_finished_one(
        self, storage: Storage
    ) -> None:
        running = await store(storage, new_run())
        later = running.created_at + timedelta(days=1)
        await store(storage, finished_run(running.id, created_at=later))

        found = await storage.get(running.id)

        assert found.run_id == running.run_id

    async def test_an_id_of_finished_runs_means_the_newest(self, storage: Storage) -> None:
        newest = await store(storage, finished_run())
        earlier = newest.created_at - timedelta(seconds=1)
        await store(storage, finished_run(newest.id, created_at=earlier))

        found = await storage.get(newest.id)

        assert found.run_id == newest.run_id

    async def test_of_two_runs_of_one_moment_the_greater_run_id_is_the_newer(
        self, storage: Storage
    ) -> None:
        runs = [await store(storage, finished_run()) for _ in range(2)]

        found = await storage.get(runs[0].id)

        assert found.run_id == max(run_ids(*runs))

    async def test_an_id_of_several_unfinished_runs_is_ambiguous(self, storage: Storage) -> None:
        first = await store(storage, new_run(workflow="shop.Orders"))
        second = await store(storage, new_run(workflow="shop.Returns", workflow_version=3))

        with pytest.raises(AmbiguousInstance) as raised:
            await storage.get(first.id)

        expected = {(first.run_id, "shop.Orders", 1), (second.run_id, "shop.Returns", 3)}
        assert set(raised.value.runs) == expected

    @pytest.mark.parametrize("given", [{"workflow": "shop.Returns"}, {"version": 3}])
    async def test_workflow_or_version_say_which_of_several_runs_is_meant(
        self, storage: Storage, given: dict[str, object]
    ) -> None:
        await store(storage, new_run(workflow="shop.Orders"))
        meant = await store(storage, new_run(workflow="shop.Returns", workflow_version=3))

        found = await storage.get(meant.id, **given)  # type: ignore[arg-type]  # one of the two

        assert found.run_id == meant.run_id

    @pytest.mark.parametrize("by", ["id", "run_id"])
    @pytest.mark.parametrize("given", [{"workflow": "shop.Returns"}, {"version": 3}])
    async def test_a_run_of_another_workflow_or_version_is_not_found(
        self, storage: Storage, by: str, given: dict[str, object]
    ) -> None:
        run = await store(storage, new_run())

        with pytest.raises(InstanceNotFound):
            await storage.get(getattr(run, by), **given)  # type: ignore[arg-type]  # one of the two

    async def test_get_fills_the_history_unless_it_is_not_wanted(self, storage: Storage) -> None:
        run = new_run()
        first = entry(run.run_id)
        await store(storage, run, entries=(first,))

        full = await storage.get(run.run_id)
        bare = await storage.get(run.run_id, history=False)

        assert (full.execution_history, bare.execution_history) == ((first,), ())

    async def test_load_returns_the_run_with_its_inbox_and_its_leases(
        self, storage: Storage
    ) -> None:
        run = new_run()
        await store(storage, run, granted=(lease(run),))
        paid = event(run)
        await storage.post(paid)

        snapshot = await storage.load(run.run_id)

        assert snapshot.instance == run
        assert [message.id for message in snapshot.inbox] == [paid.id]
        assert snapshot.leases == (lease(run),)

    async def test_a_run_that_is_not_stored_cannot_be_loaded(self, storage: Storage) -> None:
        missing = some_run_id()

        with pytest.raises(InstanceNotFound):
            await storage.load(missing)

    async def test_a_snapshot_never_shows_a_message_that_its_revision_consumed(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        torn: list[str] = []

        async def write() -> None:
            current = run
            for _ in range(20):
                paid = event(current, name=str(current.revision))
                await storage.post(paid)
                current = moved(current)
                await storage.commit(change(current, consumed=(paid.id,)))
                await asyncio.sleep(0)

        async def read() -> None:
            while not writing.done():
                snapshot = await storage.load(run.run_id)
                shown = [int(m.body.event) for m in snapshot.inbox]  # type: ignore[union-attr]  # it is an event
                torn.extend(str(n) for n in shown if n < snapshot.instance.revision)
                await asyncio.sleep(0)

        writing = asyncio.create_task(write())
        await asyncio.gather(writing, read(), read())

        assert torn == []

    async def test_a_status_never_comes_without_the_time_it_belongs_to(
        self, storage: Storage
    ) -> None:
        runs = [await store(storage, new_run(f"orderid::{n}")) for n in range(20)]

        async def end() -> None:
            for run in runs:
                await commit(storage, ended(run))
                await asyncio.sleep(0)

        async def look() -> list[tuple[bool, bool]]:
            seen = [await storage.get(run.run_id) for run in reversed(runs)]
            return [(run.is_finished, run.finished_at is not None) for run in seen]

        _, *looks = await asyncio.gather(end(), look(), look())

        assert all(is_finished == has_time for seen in looks for is_finished, has_time in seen)
