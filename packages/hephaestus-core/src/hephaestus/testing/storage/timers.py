"""When `due` returns a run for its own time, and how many at once."""

from datetime import datetime, timedelta

import pytest

from hephaestus.instance import Status
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    INSTANT,
    NOW,
    ORDERS,
    SECOND,
    commit,
    due,
    ended,
    lease,
    moved,
    new_run,
    run_ids,
    store,
)

SOON = NOW + timedelta(minutes=1)
FAR = NOW + timedelta(days=365)


class Timers:
    """Clauses about runs that are due at a time of their own."""

    @pytest.mark.parametrize(("now", "is_due"), [(SOON - INSTANT, False), (SOON, True)])
    async def test_a_run_is_due_when_its_time_has_come(
        self, storage: Storage, now: datetime, is_due: bool
    ) -> None:
        run = await store(storage, new_run(), wake_at=SOON)

        found = await due(storage, now)

        assert found == [run.run_id] * is_due

    async def test_a_run_without_a_time_is_never_due(self, storage: Storage) -> None:
        await store(storage, new_run(), wake_at=None)

        found = await due(storage, FAR)

        assert found == []

    @pytest.mark.parametrize(("later", "is_due"), [(None, False), (SOON, False), (NOW, True)])
    async def test_each_commit_sets_the_time_anew(
        self, storage: Storage, later: datetime | None, is_due: bool
    ) -> None:
        run = await store(storage, new_run(), wake_at=NOW)
        await commit(storage, moved(run), wake_at=later)

        found = await due(storage, NOW)

        assert found == [run.run_id] * is_due

    @pytest.mark.parametrize("status", ["pending", "running", "waiting", "halted"])
    async def test_an_unfinished_run_of_any_status_is_due(
        self, storage: Storage, status: Status
    ) -> None:
        run = await store(storage, new_run(status=status), wake_at=NOW)

        found = await due(storage, NOW)

        assert found == [run.run_id]

    @pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
    async def test_a_finished_run_is_not_due_for_its_time_or_its_leases(
        self, storage: Storage, status: Status
    ) -> None:
        run = new_run()
        await store(storage, run, wake_at=NOW, granted=(lease(run, until=NOW),))
        await commit(storage, ended(run, status), wake_at=NOW)

        found = await due(storage, FAR)

        assert found == []

    async def test_a_run_that_is_gone_is_not_due(self, storage: Storage) -> None:
        run = await store(storage, new_run(), wake_at=NOW)
        await storage.delete(run.run_id)

        found = await due(storage, NOW)

        assert found == []

    async def test_only_runs_of_known_workflows_and_versions_are_due(
        self, storage: Storage
    ) -> None:
        known = await store(storage, new_run(), wake_at=NOW)
        await store(storage, new_run(workflow_version=2), wake_at=NOW)
        await store(storage, new_run(workflow="shop.Returns"), wake_at=NOW)

        found = await due(storage, NOW, workflows=frozenset({(ORDERS, 1), ("shop.Returns", 2)}))

        assert found == [known.run_id]

    async def test_a_caller_that_knows_no_workflow_gets_nothing(self, storage: Storage) -> None:
        await store(storage, new_run(), wake_at=NOW)

        found = await due(storage, NOW, workflows=frozenset())

        assert found == []

    async def test_runs_of_an_unknown_workflow_do_not_use_up_the_limit(
        self, storage: Storage
    ) -> None:
        for n in range(5):
            await store(storage, new_run(workflow="shop.Gone"), wake_at=NOW - n * SECOND)
        known = await store(storage, new_run(), wake_at=NOW)

        found = await due(storage, NOW, limit=2)

        assert found == [known.run_id]

    async def test_the_longest_due_come_first_up_to_the_limit(self, storage: Storage) -> None:
        moments = [NOW - n * SECOND for n in (2, 5, 1, 4, 3)]
        runs = [await store(storage, new_run(), wake_at=moment) for moment in moments]

        found = await due(storage, NOW, limit=3)

        assert found == run_ids(runs[1], runs[3], runs[4])
