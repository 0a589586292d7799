"""What `commit` writes, against one revision and once."""

import asyncio

import msgspec
import pytest

from hephaestus.errors import AlreadyRunning, StaleInstance
from hephaestus.instance import ActiveStep
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    ALICE,
    BOB,
    LEASE,
    NOW,
    change,
    commit,
    ended,
    entry,
    event,
    lease,
    moved,
    new_run,
    store,
    with_results,
)


class Committing:
    """Clauses about writing a change."""

    async def test_a_run_reads_back_as_it_was_committed(self, storage: Storage) -> None:
        run = await store(storage, new_run(initial={"total": 3}))
        after = moved(
            run,
            status="waiting",
            active={"paid": ActiveStep(state="waiting", since=NOW, deadline=NOW + LEASE)},
            runtime_metadata={"region": "eu"},
            updated_at=NOW + LEASE,
        )

        await storage.commit(change(after))

        assert await storage.get(run.run_id) == after

    async def test_the_result_of_each_step_is_written_once_and_stays(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        second = with_results(run, check={"ok": True})
        third = with_results(second, charge={"amount": 30}, done={})

        await storage.commit(change(second, results=("check",)))
        await storage.commit(change(third, results=("charge", "done")))

        found = await storage.get(run.run_id)
        assert found.context.steps == {"check": {"ok": True}, "charge": {"amount": 30}, "done": {}}

    async def test_a_commit_of_a_run_that_was_read_in_part_keeps_the_other_results(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        stored = await commit(
            storage,
            with_results(run, check={"ok": True}, weigh={"kg": 2}),
            results=("check", "weigh"),
        )
        claimed = await storage.claim(lease(run), NOW, results=("check",))
        assert claimed is not None

        after = with_results(claimed, charge={"amount": 30})
        await storage.commit(change(after, results=("charge",), ended=(("charge", 1),)))

        found = await storage.get(run.run_id)
        assert found.context.steps == {**stored.context.steps, "charge": {"amount": 30}}

    async def test_entries_of_a_change_join_the_history(self, storage: Storage) -> None:
        run = new_run()
        first, second, third = (entry(run.run_id) for _ in range(3))
        await store(storage, run, entries=(first,))

        await storage.commit(change(moved(run), entries=(second, third)))

        assert await storage.entries(run.run_id) == [first, second, third]

    async def test_consumed_messages_leave_the_inbox_and_kept_ones_stay(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        consumed, kept = event(run), event(run)
        await storage.post(consumed)
        await storage.post(kept)

        await storage.commit(change(moved(run), consumed=(consumed.id,), kept=(kept.id,)))

        assert [m.id for m in (await storage.load(run.run_id)).inbox] == [kept.id]

    async def test_a_message_that_came_after_the_load_stays(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        await storage.load(run.run_id)
        late = event(run)
        await storage.post(late)

        await storage.commit(change(moved(run)))

        assert [m.id for m in (await storage.load(run.run_id)).inbox] == [late.id]

    async def test_leases_of_a_change_end_and_begin(self, storage: Storage) -> None:
        run = new_run()
        await store(storage, run, granted=(lease(run, step="charge"), lease(run, step="pack")))
        begun = lease(run, step="ship", attempt=2)

        await storage.commit(change(moved(run), ended=(("charge", 1),), granted=(begun,)))

        snapshot = await storage.load(run.run_id)
        assert set(snapshot.leases) == {lease(run, step="pack"), begun}

    async def test_a_run_that_ended_frees_its_key_and_takes_it_back_when_retried(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run(unique_key="orders 1"))
        failed = await commit(storage, ended(run, "failed"))

        await storage.commit(change(moved(failed, status="running", finished_at=None)))

        with pytest.raises(AlreadyRunning):
            await store(storage, new_run(unique_key="orders 1"))

    async def test_fifty_runs_are_committed_at_once(self, storage: Storage) -> None:
        runs = [await store(storage, new_run(f"orderid::{n}")) for n in range(50)]

        await asyncio.gather(*(storage.commit(change(moved(r, status="halted"))) for r in runs))

        assert await storage.count(status="halted") == 50


class CommittingOnce:
    """Clauses about the revision and the token of a change."""

    @pytest.mark.parametrize("revision", [1, 2, 4])
    async def test_a_commit_against_another_revision_is_stale(
        self, storage: Storage, revision: int
    ) -> None:
        run = await store(storage, new_run())
        second = await commit(storage, moved(run))
        other = msgspec.structs.replace(second, revision=revision, status="halted")

        with pytest.raises(StaleInstance) as raised:
            await storage.commit(change(other))

        assert raised.value.run_id == run.run_id
        assert await storage.get(run.run_id) == second

    async def test_a_commit_of_a_run_that_is_gone_is_stale(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        await storage.delete(run.run_id)

        with pytest.raises(StaleInstance):
            await storage.commit(change(moved(run)))

        assert await storage.count() == 0

    async def test_a_commit_repeated_with_its_token_changes_nothing(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)
        second = change(moved(run), consumed=(paid.id,), entries=(entry(run.run_id),))
        await storage.commit(second)

        await storage.commit(second)

        snapshot = await storage.load(run.run_id)
        assert (snapshot.instance, snapshot.inbox) == (second.instance, ())
        assert await storage.entries(run.run_id) == list(second.entries)

    async def test_a_repeated_commit_does_not_begin_its_leases_again(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        begun = lease(run, ALICE)
        second = change(moved(run), granted=(begun,))
        await storage.commit(second)
        await storage.release([begun], NOW)

        await storage.commit(second)

        assert await storage.claim(lease(run, BOB), NOW, results=()) is not None

    async def test_a_commit_repeated_after_the_next_one_is_stale(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        second = change(moved(run))
        await storage.commit(second)
        third = await commit(storage, moved(second.instance, status="halted"))

        with pytest.raises(StaleInstance):
            await storage.commit(second)

        assert await storage.get(run.run_id) == third

    async def test_of_two_racing_commits_one_wins(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        rivals = [moved(run, status="halted"), moved(run, status="waiting")]

        outcomes = await asyncio.gather(
            *(storage.commit(change(rival)) for rival in rivals), return_exceptions=True
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "NoneType",
            "StaleInstance",
        ]
        assert await storage.get(run.run_id) == rivals[outcomes.index(None)]

    async def test_of_two_racing_retries_of_one_key_one_wins(self, storage: Storage) -> None:
        runs = []
        for _ in range(2):
            run = await store(storage, new_run(unique_key="orders 1"))
            runs.append(await commit(storage, ended(run, "failed")))

        outcomes = await asyncio.gather(
            *(storage.commit(change(moved(run, status="running"))) for run in runs),
            return_exceptions=True,
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "AlreadyRunning",
            "NoneType",
        ]
        winner = runs[outcomes.index(None)]
        assert [run.run_id for run in await storage.query(status="running")] == [winner.run_id]
