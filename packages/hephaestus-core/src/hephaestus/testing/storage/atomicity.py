"""A `commit` that is refused writes no part of its change."""

import asyncio
from typing import Any

import msgspec
import pytest

from hephaestus.context import Context
from hephaestus.errors import AlreadyRunning, NotSerializable, StaleInstance
from hephaestus.instance import Instance
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
    lease,
    moved,
    new_run,
    run_ids,
    store,
    with_results,
)


class CommittingAllOrNothing:
    """Clauses about a change that is refused: no part of it is written."""

    @pytest.mark.parametrize("named", ["consumed", "kept", "not named"])
    async def test_a_message_that_was_withdrawn_meanwhile_makes_a_commit_stale(
        self, storage: Storage, named: str
    ) -> None:
        run, rest = await _run_with_everything(storage)
        gone = event(run)
        await storage.post(gone)
        loaded = (await storage.load(run.run_id)).instance
        await storage.withdraw(gone.id)

        consumed = (rest, gone.id) if named == "consumed" else (rest,)
        kept = (gone.id,) if named == "kept" else ()
        with pytest.raises(StaleInstance):
            await storage.commit(_everything(loaded, rest, consumed=consumed, kept=kept))

        await _assert_nothing_was_written(storage, moved(run), rest)

    async def test_a_commit_that_grants_a_lease_which_is_held_is_stale(
        self, storage: Storage
    ) -> None:
        run, rest = await _run_with_everything(storage)
        await storage.claim(lease(run, BOB), NOW, results=())

        with pytest.raises(StaleInstance):
            await storage.commit(_everything(run, rest, ended=(), granted=(lease(run, ALICE),)))

        assert (await storage.load(run.run_id)).leases == (lease(run, BOB),)
        await storage.release([lease(run, BOB)], NOW)
        await _assert_nothing_was_written(storage, run, rest)

    async def test_a_lease_that_expired_unreleased_is_held_against_a_grant(
        self, storage: Storage
    ) -> None:
        run = new_run()
        await store(storage, run, granted=(lease(run, BOB, until=NOW),))

        with pytest.raises(StaleInstance):
            await storage.commit(change(moved(run), granted=(lease(run, ALICE),)))

        assert (await storage.load(run.run_id)).instance == run

    async def test_a_lease_that_was_released_may_be_granted(self, storage: Storage) -> None:
        run = new_run()
        await store(storage, run, granted=(lease(run, BOB),))
        await storage.release([lease(run, BOB)], NOW)

        await storage.commit(change(moved(run), granted=(lease(run, ALICE),)))

        assert (await storage.load(run.run_id)).leases == (lease(run, ALICE),)

    async def test_of_a_racing_claim_and_grant_one_wins(self, storage: Storage) -> None:
        run = await store(storage, new_run())

        claimed, granted = await asyncio.gather(
            storage.claim(lease(run, BOB), NOW, results=()),
            storage.commit(change(moved(run), granted=(lease(run, ALICE),))),
            return_exceptions=True,
        )

        holder = ALICE if claimed is None else BOB
        assert isinstance(granted, StaleInstance) == (holder is BOB)
        assert (await storage.load(run.run_id)).leases == (lease(run, holder),)

    async def test_a_retry_whose_key_is_taken_writes_nothing(self, storage: Storage) -> None:
        run = await store(storage, new_run(unique_key="orders 1"))
        failed = await commit(storage, ended(run, "failed"))
        holder = await store(storage, new_run(unique_key="orders 1"))

        with pytest.raises(AlreadyRunning) as raised:
            await storage.commit(
                change(moved(failed, status="running"), entries=(entry(run.run_id),), wake_at=NOW)
            )

        assert raised.value.instance_id == run.id
        assert await storage.get(run.run_id) == failed
        assert [found.run_id for found in await storage.query(status="running")] == run_ids(holder)
        assert await due(storage) == []

    @pytest.mark.parametrize("where", ["result", "metadata", "entry"])
    async def test_a_change_that_cannot_be_stored_writes_nothing(
        self, storage: Storage, where: str
    ) -> None:
        run, rest = await _run_with_everything(storage)
        unstorable = {"total": float("inf")}
        after = with_results(run, check=unstorable if where == "result" else {})
        if where == "metadata":
            after = msgspec.structs.replace(after, runtime_metadata=unstorable)
        added = entry(run.run_id, output=unstorable if where == "entry" else None)

        with pytest.raises(NotSerializable):
            await storage.commit(_everything(after, rest, entries=(entry(run.run_id), added)))

        await _assert_nothing_was_written(storage, run, rest)


async def _run_with_everything(storage: Storage) -> tuple[Instance, str]:
    """Store a run with a message and a lease, and return it with the message's id."""
    run = await store(storage, new_run())
    paid = event(run)
    await storage.post(paid)
    await storage.claim(lease(run, ALICE, step="charge"), NOW, results=())
    await storage.release([lease(run, ALICE, step="charge")], NOW)
    return run, paid.id


def _everything(run: Instance, message_id: str, **parts: Any) -> Any:
    """Return a change that would write everything that a change can."""
    after = run if run.context.steps else with_results(run, check={"ok": True})
    given = {
        "results": ("check",),
        "entries": (entry(run.run_id),),
        "consumed": (message_id,),
        "granted": (lease(run, ALICE, step="pack"),),
        "ended": (("charge", 1),),
        "wake_at": NOW + LEASE,
    }
    return change(msgspec.structs.replace(after, status="halted"), **(given | parts))


async def _assert_nothing_was_written(storage: Storage, run: Instance, message_id: str) -> None:
    snapshot = await storage.load(run.run_id)
    assert snapshot.instance == run
    assert snapshot.instance.context == Context(initial={}, steps={})
    assert [message.id for message in snapshot.inbox] == [message_id]
    assert [(held.step, held.released) for held in snapshot.leases] == [("charge", True)]
    assert await storage.entries(run.run_id) == []
