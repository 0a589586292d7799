"""What `session=` promises: the write happens with the caller's transaction, or not at all."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import TypeAlias

import pytest

from hephaestus.errors import AlreadyRunning, InstanceNotFound, InvalidArgument
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import NOW, change, due, event, new_run, store

Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]
"""Opens a transaction of the caller's: committed at the end, rolled back where one raises."""


class Sessions:
    """Clauses about writing with the caller's transaction; `begin` opens one."""

    @pytest.fixture
    def begin(self, storage: Storage) -> Begin:
        """Return what opens a transaction; an adapter that has some overrides it."""
        if storage.transactional:
            pytest.fail("a transactional storage's suite needs the fixture `begin`")
        pytest.skip("this storage takes no session")

    async def test_a_storage_without_transactions_refuses_a_session(self, storage: Storage) -> None:
        if storage.transactional:
            pytest.skip("this storage takes a session")
        run = await store(storage, new_run())

        with pytest.raises(InvalidArgument, match="session"):
            await storage.create(change(new_run()), session=object())
        with pytest.raises(InvalidArgument, match="session"):
            await storage.post(event(run), session=object())
        with pytest.raises(InvalidArgument, match="session"):
            await storage.get(run.id, session=object())

        assert (await storage.load(run.run_id)).inbox == ()
        assert await storage.count() == 1

    async def test_a_run_is_created_with_the_callers_commit(
        self, storage: Storage, begin: Begin
    ) -> None:
        run = new_run(status="pending")

        async with begin() as session:
            await storage.create(change(run, wake_at=NOW), session=session)
            before = await storage.count()

        assert before == 0
        assert await storage.get(run.run_id) == run
        assert await due(storage, NOW) == [run.run_id]

    async def test_a_run_is_found_in_the_transaction_that_creates_it(
        self, storage: Storage, begin: Begin
    ) -> None:
        run = new_run(status="pending")

        async with begin() as session:
            await storage.create(change(run, wake_at=NOW), session=session)
            found = [await storage.get(id, session=session) for id in (run.id, run.run_id)]
            with pytest.raises(InstanceNotFound):
                await storage.get(run.id)

        assert found == [run, run]

    async def test_a_run_whose_transaction_is_rolled_back_never_was(
        self, storage: Storage, begin: Begin
    ) -> None:
        run = new_run(unique_key="orders 1")

        await _rolled_back(begin, lambda session: storage.create(change(run), session=session))

        with pytest.raises(InstanceNotFound):
            await storage.get(run.run_id)
        await store(storage, new_run(unique_key="orders 1"))

    async def test_a_message_arrives_with_the_callers_commit(
        self, storage: Storage, begin: Begin
    ) -> None:
        run = await store(storage, new_run())
        paid = event(run)

        async with begin() as session:
            taken = await storage.post(paid, session=session)
            before = (await storage.load(run.run_id)).inbox

        assert (taken, before) == (True, ())
        assert [message.id for message in (await storage.load(run.run_id)).inbox] == [paid.id]
        assert await due(storage, NOW) == [run.run_id]

    async def test_a_message_whose_transaction_is_rolled_back_may_be_posted_again(
        self, storage: Storage, begin: Begin
    ) -> None:
        run = await store(storage, new_run())
        paid = event(run)

        await _rolled_back(begin, lambda session: storage.post(paid, session=session))

        assert await storage.post(paid)

    async def test_a_refused_create_leaves_the_transaction_usable(
        self, storage: Storage, begin: Begin
    ) -> None:
        holder = await store(storage, new_run("orderid::1", unique_key="orders 1"))
        other = new_run("orderid::2", unique_key="orders 2")

        async with begin() as session:
            with pytest.raises(AlreadyRunning):
                await storage.create(change(new_run(unique_key="orders 1")), session=session)
            await storage.create(change(other), session=session)

        assert {run.run_id for run in await storage.query()} == {holder.run_id, other.run_id}


class _Abandoned(Exception):
    """Raised to roll a transaction back."""


async def _rolled_back(begin: Begin, write: Callable[[object], Awaitable[object]]) -> None:
    """Write in a transaction that comes to nothing."""
    with suppress(_Abandoned):
        async with begin() as session:
            await write(session)
            raise _Abandoned
