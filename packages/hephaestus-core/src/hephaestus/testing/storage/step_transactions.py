"""What `transaction` promises: a step's effects and its outcome become durable as one."""

import asyncio
from contextlib import suppress

import pytest

from hephaestus.errors import (
    InstanceNotFound,
    InvalidArgument,
    StaleInstance,
    TransactionConflict,
)
from hephaestus.instance import Instance
from hephaestus.storage import Snapshot, Storage
from hephaestus.testing.storage.samples import (
    ALICE,
    BOB,
    LEASE,
    NOW,
    change,
    due,
    entry,
    event,
    lease,
    moved,
    new_run,
    some_run_id,
    store,
    with_results,
)


class StepTransactions:
    """Clauses about the transaction of a step."""

    @pytest.fixture
    def transactional(self, storage: Storage) -> Storage:
        """Return the storage, if it has transactions."""
        if not storage.transactional:
            pytest.skip("this storage has no transactions")
        return storage

    async def test_a_storage_without_transactions_refuses_one(self, storage: Storage) -> None:
        if storage.transactional:
            pytest.skip("this storage has transactions")

        with pytest.raises(InvalidArgument):
            async with storage.transaction(some_run_id()):
                pass

    async def test_a_transaction_shows_the_run_with_its_inbox_and_its_leases(
        self, transactional: Storage
    ) -> None:
        run, expected = await _run_under_way(transactional)

        async with transactional.transaction(run.run_id) as transaction:
            snapshot = await transaction.load()

        assert snapshot == expected

    async def test_a_transaction_has_a_session_and_repeats_nothing_without_a_reason(
        self, transactional: Storage
    ) -> None:
        run = await store(transactional, new_run())

        async with transactional.transaction(run.run_id) as transaction:
            await transaction.flush()
            repeated = transaction.conflicts(ZeroDivisionError())

        assert transaction.session is not None
        assert not repeated

    async def test_a_transaction_that_commits_writes_all_that_a_change_can(
        self, transactional: Storage
    ) -> None:
        run, before = await _run_under_way(transactional)
        (paid,) = before.inbox
        after = with_results(run, charge={"amount": 30})

        async with transactional.transaction(run.run_id) as transaction:
            await transaction.load()
            await transaction.commit(
                change(
                    after,
                    results=("charge",),
                    entries=(entry(run.run_id),),
                    consumed=(paid.id,),
                    ended=(("charge", 1),),
                    granted=(lease(run, step="pack"),),
                    wake_at=NOW,
                )
            )

        expected = Snapshot(instance=after, leases=(lease(run, step="pack"),))
        assert await transactional.load(run.run_id) == expected
        assert len(await transactional.entries(run.run_id)) == 1
        assert await due(transactional, NOW) == [run.run_id]

    async def test_others_see_a_transaction_when_it_has_committed_and_not_before(
        self, transactional: Storage
    ) -> None:
        run = await store(transactional, new_run())
        after = moved(run, status="waiting")

        async with transactional.transaction(run.run_id) as transaction:
            await transaction.load()
            before_commit = await transactional.get(run.run_id)
            await transaction.commit(change(after))
            after_commit = await transactional.get(run.run_id)

        assert (before_commit, after_commit) == (run, after)

    @pytest.mark.parametrize("how", ["is left", "raises", "is cancelled"])
    async def test_a_transaction_without_a_commit_changes_nothing_and_holds_nothing(
        self, transactional: Storage, how: str
    ) -> None:
        run, before = await _run_under_way(transactional)

        ended = await _ended_without_commit(transactional, run, how)

        assert ended == {"is left": None, "raises": _Undone, "is cancelled": None}[how]
        assert await transactional.load(run.run_id) == before
        await transactional.commit(change(moved(run)))

    async def test_a_commit_that_meets_a_transaction_is_stale_once_that_has_committed(
        self, transactional: Storage
    ) -> None:
        run = await store(transactional, new_run())
        mine, other = moved(run, status="waiting"), moved(run, status="halted")

        async with transactional.transaction(run.run_id) as transaction:
            await transaction.load()
            committing = asyncio.create_task(transactional.commit(change(other)))
            await transactional.get(run.run_id)
            await transaction.commit(change(mine))

        with pytest.raises(StaleInstance):
            await committing
        assert await transactional.get(run.run_id) == mine

    async def test_a_commit_that_meets_a_transaction_is_written_once_that_is_rolled_back(
        self, transactional: Storage
    ) -> None:
        run = await store(transactional, new_run())
        other = moved(run, status="halted")

        async with transactional.transaction(run.run_id) as transaction:
            await transaction.load()
            committing = asyncio.create_task(transactional.commit(change(other)))
            await transactional.get(run.run_id)

        await committing
        assert await transactional.get(run.run_id) == other

    async def test_of_two_transactions_the_second_sees_what_the_first_has_made(
        self, transactional: Storage
    ) -> None:
        run = await store(transactional, new_run())
        after = moved(run, status="waiting")

        async with transactional.transaction(run.run_id) as transaction:
            await transaction.load()
            loading = asyncio.create_task(_loaded(transactional, run))
            await transactional.get(run.run_id)
            await transaction.commit(change(after))

        assert await loading == after

    async def test_a_message_that_comes_meanwhile_stays(self, transactional: Storage) -> None:
        run = await store(transactional, new_run())
        paid = event(run)

        async with transactional.transaction(run.run_id) as transaction:
            await transaction.load()
            posting = asyncio.create_task(transactional.post(paid))
            await transactional.get(run.run_id)
            await transaction.commit(change(moved(run)))

        assert await posting
        inbox = (await transactional.load(run.run_id)).inbox
        assert [message.id for message in inbox] == [paid.id]

    async def test_a_message_is_either_withdrawn_or_consumed_by_a_transaction(
        self, transactional: Storage
    ) -> None:
        run, before = await _run_under_way(transactional)
        (paid,) = before.inbox

        async with transactional.transaction(run.run_id) as transaction:
            await transaction.load()
            withdrawing = asyncio.create_task(transactional.withdraw(paid.id))
            await transactional.get(run.run_id)
            await transaction.commit(change(moved(run), consumed=(paid.id,)))

        assert not await withdrawing
        assert (await transactional.load(run.run_id)).instance == moved(run)

    async def test_of_a_claim_and_a_transaction_that_grants_one_has_the_lease(
        self, transactional: Storage
    ) -> None:
        run = await store(transactional, new_run())
        refused = False

        try:
            async with transactional.transaction(run.run_id) as transaction:
                await transaction.load()
                claiming = asyncio.create_task(
                    transactional.claim(lease(run, BOB), NOW, results=())
                )
                await transactional.get(run.run_id)
                await transaction.commit(change(moved(run), granted=(lease(run, ALICE),)))
        except (StaleInstance, TransactionConflict):
            refused = True

        claimed = await claiming
        assert (claimed is not None) == refused
        holder = BOB if refused else ALICE
        assert (await transactional.load(run.run_id)).leases == (lease(run, holder),)

    async def test_the_load_of_a_run_that_is_gone_says_so(self, transactional: Storage) -> None:
        run = await store(transactional, new_run())

        async with transactional.transaction(run.run_id) as transaction:
            await transactional.delete(run.run_id)
            with pytest.raises(InstanceNotFound) as raised:
                await transaction.load()

        assert raised.value.instance_id == run.run_id


class _Undone(Exception):
    """Raised in a transaction."""


async def _run_under_way(storage: Storage) -> tuple[Instance, Snapshot]:
    """Store a run with a message and a lease, and return it, with what a load shows of it."""
    run = new_run(initial={"total": 3})
    await store(storage, run, granted=(lease(run, until=NOW + LEASE),))
    await storage.post(event(run))
    return run, await storage.load(run.run_id)


async def _ended_without_commit(
    storage: Storage, run: Instance, how: str
) -> type[Exception] | None:
    """Load the run in a transaction that comes to nothing, and return what that lets through."""
    loaded = asyncio.Event()

    async def transact() -> None:
        async with storage.transaction(run.run_id) as transaction:
            await transaction.load()
            loaded.set()
            if how == "raises":
                raise _Undone
            if how == "is cancelled":
                await asyncio.Event().wait()

    transacting = asyncio.create_task(transact())
    if how == "is cancelled":
        await loaded.wait()
        transacting.cancel()
    try:
        with suppress(asyncio.CancelledError):
            await transacting
    except _Undone as error:
        return type(error)
    return None


async def _loaded(storage: Storage, run: Instance) -> Instance:
    """Load the run in a transaction, as often as that is asked for."""
    while True:
        with suppress(TransactionConflict):
            async with storage.transaction(run.run_id) as transaction:
                return (await transaction.load()).instance
