"""How `due` gives each run to one caller."""

import asyncio

from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    ALICE,
    HAND_OVER,
    INSTANT,
    NOW,
    SECOND,
    commit,
    due,
    event,
    lease,
    moved,
    new_run,
    run_ids,
    store,
)


class HandingOver:
    """Clauses about giving each due run to one caller."""

    async def test_a_run_is_handed_to_one_caller(self, storage: Storage) -> None:
        run = await store(storage, new_run(), wake_at=NOW)

        calls = [await due(storage, NOW), await due(storage, NOW + HAND_OVER - INSTANT)]

        assert calls == [[run.run_id], []]

    async def test_a_hand_over_ends_by_time(self, storage: Storage) -> None:
        run = await store(storage, new_run(), wake_at=NOW)
        await due(storage, NOW)

        found = await due(storage, NOW + HAND_OVER)

        assert found == [run.run_id]

    async def test_a_hand_over_ends_by_a_commit(self, storage: Storage) -> None:
        run = await store(storage, new_run(), wake_at=NOW)
        await due(storage, NOW)
        await commit(storage, moved(run), wake_at=NOW + SECOND)

        found = await due(storage, NOW + SECOND)

        assert found == [run.run_id]

    async def test_a_message_that_comes_during_a_hand_over_is_not_forgotten(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run(), wake_at=NOW)
        await due(storage, NOW)
        await storage.load(run.run_id)
        await storage.post(event(run))
        hidden = await due(storage, NOW)
        await commit(storage, moved(run))

        found = await due(storage, NOW)

        assert (hidden, found) == ([], [run.run_id])

    async def test_a_hand_over_ends_by_a_release(self, storage: Storage) -> None:
        run = new_run()
        await store(storage, run, wake_at=NOW, granted=(lease(run, ALICE),))
        await due(storage, NOW)
        hidden = await due(storage, NOW)
        await storage.release([lease(run, ALICE)], NOW)

        found = await due(storage, NOW)

        assert (hidden, found) == ([], [run.run_id])

    async def test_runs_beyond_the_limit_are_left_to_the_next_call(self, storage: Storage) -> None:
        runs = [await store(storage, new_run(), wake_at=NOW - n * SECOND) for n in range(3)]
        await due(storage, NOW, limit=2)

        found = await due(storage, NOW, limit=2)

        assert found == [runs[0].run_id]

    async def test_simultaneous_callers_never_get_the_same_run(self, storage: Storage) -> None:
        runs = [await store(storage, new_run(), wake_at=NOW) for _ in range(40)]

        calls = await asyncio.gather(*(due(storage, NOW, limit=7) for _ in range(10)))
        rest = await due(storage, NOW)

        # A call may pass over what another one is looking at; that is left to the next.
        handed = [run_id for found in (*calls, rest) for run_id in found]
        assert sorted(handed) == sorted(run_ids(*runs))

    async def test_a_run_in_hand_does_not_use_up_the_limit(self, storage: Storage) -> None:
        older = await store(storage, new_run(), wake_at=NOW - SECOND)
        newer = await store(storage, new_run(), wake_at=NOW)

        calls = [await due(storage, NOW, limit=1) for _ in range(2)]

        assert calls == [[older.run_id], [newer.run_id]]

    async def test_claiming_and_posting_go_on_during_a_hand_over(self, storage: Storage) -> None:
        run = await store(storage, new_run(), wake_at=NOW)
        await due(storage, NOW)

        claimed = await storage.claim(lease(run), NOW, results=())
        posted = await storage.post(event(run))

        assert (claimed, posted) == (run, True)
