"""What `delete` and `prune` take away, and that nothing of it stays behind."""

from datetime import timedelta
from typing import Any

import pytest

from hephaestus.errors import InstanceNotFound, InvalidArgument
from hephaestus.instance import STATUSES, TERMINAL, Instance, Status
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    NOW,
    SECOND,
    commit,
    due,
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

DAY = timedelta(days=1)


class Deleting:
    """Clauses about deleting runs."""

    async def test_deleting_an_id_deletes_all_its_runs_and_no_other(self, storage: Storage) -> None:
        for run in (finished_run("orderid::1"), finished_run("orderid::1"), new_run("orderid::1")):
            await store(storage, run)
        other = await store(storage, new_run("orderid::2"))

        deleted = await storage.delete("orderid::1")

        assert deleted
        assert await storage.query() == [other]

    async def test_deleting_a_run_id_deletes_that_run_alone(self, storage: Storage) -> None:
        first, second = [await store(storage, finished_run()) for _ in range(2)]

        deleted = await storage.delete(second.run_id)

        assert deleted
        assert await storage.get(first.id) == first

    @pytest.mark.parametrize(
        "id", ["orderid::2", pytest.param(some_run_id(), id="a run id"), "", "orderid::\x00", "%"]
    )
    async def test_deleting_what_is_not_there_answers_false(
        self, storage: Storage, id: str
    ) -> None:
        await store(storage, new_run("orderid::1"))

        deleted = await storage.delete(id)

        assert not deleted
        assert await storage.count() == 1

    async def test_deleting_twice_answers_false_the_second_time(self, storage: Storage) -> None:
        run = await store(storage, new_run())

        answers = [await storage.delete(run.id) for _ in range(2)]

        assert answers == [True, False]

    async def test_deleting_an_unfinished_run_frees_its_key(self, storage: Storage) -> None:
        run = await store(storage, new_run(unique_key="orders 1"))

        await storage.delete(run.id)

        await store(storage, new_run(unique_key="orders 1"))

    @pytest.mark.parametrize("by", ["id", "run_id"])
    async def test_all_that_belongs_to_a_run_goes_with_it(self, storage: Storage, by: str) -> None:
        run, message_id = await _run_with_belongings(storage)

        await storage.delete(getattr(run, by))

        await _assert_nothing_is_left(storage, run, message_id)

    async def test_a_history_without_a_run_is_deleted_by_its_run_id(self, storage: Storage) -> None:
        orphan = entry(some_run_id())
        await storage.record(orphan)

        deleted = await storage.delete(orphan.run_id)

        assert not deleted
        assert await storage.entries(orphan.run_id) == []


class Pruning:
    """Clauses about finished runs past their retention."""

    async def test_runs_that_ended_before_a_time_are_deleted(self, storage: Storage) -> None:
        await store(storage, finished_run(at=NOW - SECOND))
        at_the_time = await store(storage, finished_run(at=NOW))
        later = await store(storage, finished_run(at=NOW + SECOND))

        count = await storage.prune(NOW)

        assert count == 1
        assert {run.run_id for run in await storage.query()} == set(run_ids(at_the_time, later))

    async def test_unfinished_runs_are_never_deleted(self, storage: Storage) -> None:
        for status in STATUSES:
            if status not in TERMINAL:
                await store(storage, new_run(status=status))

        counts = [
            await storage.prune(NOW + 365 * DAY),
            await storage.prune(NOW + 365 * DAY, statuses=STATUSES),
        ]

        assert counts == [0, 0]
        assert await storage.count() == 4

    async def test_the_age_counts_from_the_end_and_not_from_the_creation(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run(created_at=NOW - 365 * DAY))
        await commit(storage, ended(run, at=NOW))

        counts = [await storage.prune(NOW), await storage.prune(NOW + SECOND)]

        assert counts == [0, 1]

    async def test_a_failed_run_that_is_retried_is_not_deleted(self, storage: Storage) -> None:
        failed = await store(storage, finished_run(status="failed"))
        await commit(storage, moved(failed, status="running", finished_at=None))

        count = await storage.prune(NOW + DAY)

        assert count == 0

    @pytest.mark.parametrize(
        ("statuses", "expected"),
        [
            (None, set()),
            (["completed"], {"failed", "cancelled"}),
            ({"completed", "cancelled"}, {"failed"}),
            ([], {"completed", "failed", "cancelled"}),
        ],
    )
    async def test_only_the_statuses_that_are_named_are_deleted(
        self, storage: Storage, statuses: set[Status] | None, expected: set[Status]
    ) -> None:
        for status in TERMINAL:
            await store(storage, finished_run(status=status))

        count = await storage.prune(NOW + DAY, statuses=statuses)

        assert {run.status for run in await storage.query()} == expected
        assert count == 3 - len(expected)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"before": NOW.replace(tzinfo=None)},
            {"before": "2026-07-01"},
            {"statuses": "failed"},
            {"statuses": ["over"]},
            {"limit": 0},
            {"limit": True},
        ],
        ids=str,
    )
    async def test_wrong_arguments_are_refused_and_delete_nothing(
        self, storage: Storage, wrong: dict[str, Any]
    ) -> None:
        await store(storage, finished_run())
        arguments: dict[str, Any] = {"before": NOW + DAY} | wrong

        with pytest.raises(InvalidArgument, match=f"{next(iter(wrong))}="):
            await storage.prune(**arguments)

        assert await storage.count() == 1

    async def test_a_limit_takes_those_that_ended_first(self, storage: Storage) -> None:
        runs = [await store(storage, finished_run(at=NOW + n * SECOND)) for n in (3, 1, 0, 2, 4)]

        counts = [await storage.prune(NOW + DAY, limit=2) for _ in range(2)]

        assert counts == [2, 2]
        assert [run.run_id for run in await storage.query()] == [runs[4].run_id]

    async def test_pruning_goes_on_until_less_than_the_limit_is_left(
        self, storage: Storage
    ) -> None:
        for _ in range(5):
            await store(storage, finished_run())

        counts = [await storage.prune(NOW + DAY, limit=2) for _ in range(4)]

        assert counts == [2, 2, 1, 0]

    async def test_all_that_belongs_to_a_run_goes_with_it_when_it_is_pruned(
        self, storage: Storage
    ) -> None:
        run, message_id = await _run_with_belongings(storage)
        await commit(storage, ended(run))

        await storage.prune(NOW + DAY)

        await _assert_nothing_is_left(storage, run, message_id)

    async def test_pruning_an_earlier_run_leaves_the_later_one_of_its_id_alone(
        self, storage: Storage
    ) -> None:
        await store(storage, finished_run(unique_key="orders 1"))
        run = await store(storage, new_run(unique_key="orders 1"))
        await storage.record(own := entry(run.run_id))

        await storage.prune(NOW + DAY)

        assert (await storage.get(run.id)).execution_history == (own,)
        assert await storage.ids() == [run.id]


async def _run_with_belongings(storage: Storage) -> tuple[Instance, str]:
    """Store a run with a key, data, a history, a message and a lease."""
    run = new_run(unique_key="orders 1", initial={"total": 3}, tags=("gift",))
    granted = (lease(run, until=NOW),)
    await store(storage, run, entries=(entry(run.run_id),), granted=granted, wake_at=NOW)
    paid = event(run)
    await storage.post(paid)
    return run, paid.id


async def _assert_nothing_is_left(storage: Storage, run: Instance, message_id: str) -> None:
    for id in (run.id, run.run_id):
        with pytest.raises(InstanceNotFound):
            await storage.get(id)
    assert (await storage.query(), await storage.ids()) == ([], [])
    assert await storage.count(context={"initial": {"total": 3}}) == 0
    assert await storage.count(tag="gift") == 0
    assert (await storage.entries(run.id), await storage.entries(run.run_id)) == ([], [])
    assert await due(storage, NOW + DAY) == []
    assert not await storage.withdraw(message_id)
    # What stayed behind unseen would come back with the run.
    await store(storage, run)
    snapshot = await storage.load(run.run_id)
    assert (snapshot.instance, snapshot.inbox, snapshot.leases) == (run, (), ())
