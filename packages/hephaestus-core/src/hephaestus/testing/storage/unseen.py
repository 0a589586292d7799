"""When `due` returns a run for its messages, and for leases that ended."""

from datetime import datetime, timedelta

import pytest

from hephaestus.instance import Status
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    INSTANT,
    LEASE,
    NOW,
    commit,
    due,
    ended,
    event,
    finished_run,
    lease,
    moved,
    new_run,
    store,
)

SOON = NOW + timedelta(minutes=1)
FAR = NOW + timedelta(days=365)


class UnseenMessages:
    """Clauses about runs that are due for what lies in their inbox."""

    async def test_a_run_with_a_new_message_is_due(self, storage: Storage) -> None:
        run = await store(storage, new_run(), wake_at=FAR)
        await storage.post(event(run))

        found = await due(storage, NOW)

        assert found == [run.run_id]

    async def test_several_messages_make_a_run_due_once(self, storage: Storage) -> None:
        run = await store(storage, new_run(), wake_at=NOW)
        for _ in range(3):
            await storage.post(event(run))

        found = await due(storage, NOW)

        assert found == [run.run_id]

    @pytest.mark.parametrize(("now", "is_due"), [(SOON - INSTANT, False), (SOON, True)])
    async def test_a_message_for_later_makes_its_run_due_when_its_time_has_come(
        self, storage: Storage, now: datetime, is_due: bool
    ) -> None:
        run = await store(storage, new_run())
        await storage.post(event(run, not_before=SOON))

        found = await due(storage, now)

        assert found == [run.run_id] * is_due

    @pytest.mark.parametrize("named", ["consumed", "kept"])
    async def test_a_commit_that_names_the_message_ends_that(
        self, storage: Storage, named: str
    ) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)
        await commit(storage, moved(run), **{named: (paid.id,)})

        found = await due(storage, FAR)

        assert found == []

    async def test_a_commit_that_does_not_name_the_message_leaves_the_run_due(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        seen = event(run)
        await storage.post(seen)
        await storage.post(event(run))
        await commit(storage, moved(run), kept=(seen.id,))

        found = await due(storage, NOW)

        assert found == [run.run_id]

    async def test_a_message_that_was_kept_stays_seen(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        kept = event(run)
        await storage.post(kept)
        second = await commit(storage, moved(run), kept=(kept.id,))
        await commit(storage, moved(second))

        found = await due(storage, FAR)

        assert found == []

    async def test_a_message_that_was_withdrawn_makes_nothing_due(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)
        await storage.withdraw(paid.id)

        found = await due(storage, FAR)

        assert found == []

    async def test_a_message_that_is_dropped_as_known_makes_nothing_due(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)
        await commit(storage, moved(run), consumed=(paid.id,))
        await storage.post(paid)

        found = await due(storage, FAR)

        assert found == []

    @pytest.mark.parametrize("status", ["completed", "cancelled"])
    async def test_a_run_that_has_ended_is_due_for_a_message_until_it_is_dropped(
        self, storage: Storage, status: Status
    ) -> None:
        run = await store(storage, finished_run(status=status))
        late = event(run)
        await storage.post(late)
        before = await due(storage, NOW)
        await commit(storage, moved(run), consumed=(late.id,))

        after = await due(storage, FAR)

        assert (before, after) == ([run.run_id], [])

    async def test_a_message_that_was_posted_while_its_run_was_cancelled_is_not_forgotten(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run(), wake_at=FAR)
        await storage.post(event(run))
        await commit(storage, ended(run, "cancelled"))

        found = await due(storage, NOW)

        assert found == [run.run_id]

    async def test_a_failed_run_is_due_for_its_messages_once_it_is_retried(
        self, storage: Storage
    ) -> None:
        failed = await store(storage, finished_run(status="failed"))
        await storage.post(event(failed))
        before = await due(storage, FAR)
        await commit(storage, moved(failed, status="running", finished_at=None))

        after = await due(storage, FAR)

        assert (before, after) == ([], [failed.run_id])


class EndedLeases:
    """Clauses about runs that are due because nobody executes their step any more."""

    @pytest.mark.parametrize(
        ("now", "is_due"), [(NOW + LEASE - INSTANT, False), (NOW + LEASE, True)]
    )
    async def test_a_run_is_due_when_a_lease_has_expired(
        self, storage: Storage, now: datetime, is_due: bool
    ) -> None:
        run = new_run()
        await store(storage, run, granted=(lease(run),))

        found = await due(storage, now)

        assert found == [run.run_id] * is_due

    async def test_a_run_whose_lease_was_renewed_is_not_due(self, storage: Storage) -> None:
        run = new_run()
        await store(storage, run, granted=(lease(run),))
        await storage.renew([lease(run)], NOW + 2 * LEASE, NOW)

        found = await due(storage, NOW + LEASE)

        assert found == []

    async def test_a_run_is_due_at_once_when_a_lease_was_released(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        await storage.claim(lease(run), NOW, results=())
        await storage.release([lease(run)], NOW)

        found = await due(storage, NOW)

        assert found == [run.run_id]

    async def test_a_lease_that_a_commit_ended_makes_nothing_due(self, storage: Storage) -> None:
        run = new_run()
        await store(storage, run, granted=(lease(run),))
        await commit(storage, moved(run), ended=(("charge", 1),))

        found = await due(storage, FAR)

        assert found == []

    async def test_a_lease_that_another_took_over_makes_nothing_due(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        await storage.claim(lease(run), NOW, results=())
        await storage.release([lease(run)], NOW)
        await storage.claim(lease(run, until=FAR), NOW, results=())

        found = await due(storage, NOW + LEASE)

        assert found == []

    async def test_of_several_leases_the_first_to_end_counts(self, storage: Storage) -> None:
        run = new_run()
        leases = (lease(run, step="charge", until=FAR), lease(run, step="pack", until=SOON))
        await store(storage, run, granted=leases)

        found = await due(storage, SOON)

        assert found == [run.run_id]
