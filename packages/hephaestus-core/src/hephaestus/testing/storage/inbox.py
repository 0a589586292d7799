"""What happens to messages: `post`, `withdraw`, and the order of an inbox."""

import asyncio
from datetime import timedelta

import pytest

from hephaestus.errors import InstanceNotFound, NotSerializable, StaleInstance
from hephaestus.instance import Status
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    NOW,
    change,
    commit,
    entry,
    event,
    finished_run,
    lease,
    moved,
    new_run,
    store,
)


class Inbox:
    """Clauses about posting messages and taking them back."""

    async def test_messages_lie_in_the_inbox_in_the_order_of_arrival(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        messages = [event(run, id=id) for id in ("c", "a", "d", "b")]

        for message in messages:
            await storage.post(message)

        inbox = (await storage.load(run.run_id)).inbox
        assert [message.id for message in inbox] == ["c", "a", "d", "b"]

    async def test_the_sequence_is_the_storages_own_and_rises(self, storage: Storage) -> None:
        run = await store(storage, new_run())

        for given in (9, 5, 7):
            await storage.post(event(run, sequence=given))

        sequences = [message.sequence for message in (await storage.load(run.run_id)).inbox]
        assert sequences == sorted(set(sequences))

    async def test_a_message_comes_as_it_was_posted(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        posted = event(
            run, payload={"amount": 30}, not_before=NOW + timedelta(days=1), dedup_key="click 1"
        )

        first = await storage.post(posted)

        (found,) = (await storage.load(run.run_id)).inbox
        assert first
        assert (found.id, found.run_id, found.body) == (posted.id, run.run_id, posted.body)
        assert (found.not_before, found.dedup_key) == (posted.not_before, "click 1")

    async def test_a_message_is_seen_once_a_commit_has_named_it_as_kept(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        await storage.post(event(run, id="early", seen=True))
        unseen = (await storage.load(run.run_id)).inbox

        await commit(storage, moved(run, kept=1), kept=("early",))

        seen = (await storage.load(run.run_id)).inbox
        assert [message.seen for message in unseen] == [False]
        assert [message.seen for message in seen] == [True]

    async def test_fifty_messages_posted_at_once_arrive_each_once(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        messages = [event(run) for _ in range(50)]

        await asyncio.gather(*(storage.post(message) for message in messages))

        inbox = (await storage.load(run.run_id)).inbox
        assert sorted(m.id for m in inbox) == sorted(m.id for m in messages)
        assert len({m.sequence for m in inbox}) == 50

    async def test_posting_twice_is_posting_once(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)

        again = await storage.post(paid)

        assert not again
        assert [message.id for message in (await storage.load(run.run_id)).inbox] == [paid.id]

    async def test_another_message_of_a_dedup_key_is_dropped(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        first, second = event(run, dedup_key="click 1"), event(run, dedup_key="click 1")
        await storage.post(first)

        taken = await storage.post(second)

        assert not taken
        assert [message.id for message in (await storage.load(run.run_id)).inbox] == [first.id]

    async def test_of_fifty_simultaneous_messages_of_a_dedup_key_one_arrives(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        messages = [event(run, dedup_key="click 1") for _ in range(50)]

        taken = await asyncio.gather(*(storage.post(message) for message in messages))

        (found,) = (await storage.load(run.run_id)).inbox
        assert sum(taken) == 1
        assert found.id == messages[taken.index(True)].id

    async def test_a_dedup_key_is_remembered_after_its_message_was_consumed(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        paid = event(run, dedup_key="click 1")
        await storage.post(paid)
        await commit(storage, moved(run), consumed=(paid.id,))

        taken = [await storage.post(m) for m in (paid, event(run, dedup_key="click 1"))]

        assert taken == [False, False]
        assert (await storage.load(run.run_id)).inbox == ()

    async def test_a_dedup_key_of_another_run_is_free(self, storage: Storage) -> None:
        first, second = [await store(storage, new_run(f"orderid::{n}")) for n in range(2)]
        await storage.post(event(first, dedup_key="click 1"))

        taken = await storage.post(event(second, dedup_key="click 1"))

        assert taken

    @pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
    async def test_a_finished_run_keeps_what_is_posted_to_it(
        self, storage: Storage, status: Status
    ) -> None:
        run = await store(storage, finished_run(status=status))
        late = event(run)

        taken = await storage.post(late)

        assert taken
        assert [message.id for message in (await storage.load(run.run_id)).inbox] == [late.id]

    async def test_a_message_to_a_run_that_is_not_stored_is_refused(self, storage: Storage) -> None:
        missing = new_run()

        with pytest.raises(InstanceNotFound) as raised:
            await storage.post(event(missing))

        assert raised.value.instance_id == missing.run_id

    async def test_a_payload_that_cannot_be_stored_is_refused(self, storage: Storage) -> None:
        run = await store(storage, new_run())

        with pytest.raises(NotSerializable):
            await storage.post(event(run, payload={"total": float("nan")}))

        assert (await storage.load(run.run_id)).inbox == ()

    async def test_posting_leaves_the_run_at_its_revision(self, storage: Storage) -> None:
        run = await store(storage, new_run())

        await storage.post(event(run))

        assert await storage.get(run.run_id) == run

    async def test_a_message_that_is_withdrawn_is_gone(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        first, second = event(run), event(run)
        await storage.post(first)
        await storage.post(second)

        withdrawn = await storage.withdraw(first.id)

        assert withdrawn
        assert [message.id for message in (await storage.load(run.run_id)).inbox] == [second.id]

    async def test_a_withdrawal_moves_the_run_to_its_next_revision_and_changes_nothing_else(
        self, storage: Storage
    ) -> None:
        run = new_run(initial={"total": 3}, updated_at=NOW)
        await store(storage, run, granted=(lease(run),), entries=(entry(run.run_id),))
        first, second = event(run), event(run)
        await storage.post(first)
        await storage.post(second)
        before = await storage.load(run.run_id)

        await storage.withdraw(first.id)

        after = await storage.load(run.run_id)
        assert after.instance == moved(before.instance)
        assert (after.inbox, after.leases) == (before.inbox[1:], before.leases)
        assert len(await storage.entries(run.run_id)) == 1

    async def test_a_run_goes_on_after_a_withdrawal(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)
        await storage.withdraw(paid.id)

        after = await commit(storage, moved((await storage.load(run.run_id)).instance))

        assert await storage.get(run.run_id) == after

    @pytest.mark.parametrize("gone", ["consumed", "withdrawn", "never posted"])
    async def test_withdrawing_what_is_not_there_leaves_the_revision(
        self, storage: Storage, gone: str
    ) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        if gone != "never posted":
            await storage.post(paid)
        if gone == "consumed":
            await commit(storage, moved(run), consumed=(paid.id,))
        if gone == "withdrawn":
            await storage.withdraw(paid.id)
        before = await storage.get(run.run_id)

        await storage.withdraw(paid.id)

        assert await storage.get(run.run_id) == before

    @pytest.mark.parametrize("meanwhile", ["put again", "deleted"])
    async def test_a_withdrawal_finds_a_message_where_its_run_is(
        self, storage: Storage, meanwhile: str
    ) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)
        if meanwhile == "put again":
            await storage.put(run)
        else:
            await storage.delete(run.run_id)

        withdrawn = await storage.withdraw(paid.id)

        assert withdrawn == (meanwhile == "put again")

    async def test_a_message_that_was_withdrawn_cannot_be_posted_again(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)
        await storage.withdraw(paid.id)

        taken = await storage.post(paid)

        assert not taken
        assert (await storage.load(run.run_id)).inbox == ()

    async def test_what_was_consumed_withdrawn_or_never_posted_cannot_be_withdrawn(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        consumed, withdrawn = event(run), event(run)
        await storage.post(consumed)
        await storage.post(withdrawn)
        await commit(storage, moved(run), consumed=(consumed.id,))
        await storage.withdraw(withdrawn.id)

        answers = [await storage.withdraw(id) for id in (consumed.id, withdrawn.id, "never")]

        assert answers == [False, False, False]

    async def test_of_simultaneous_withdrawals_one_succeeds(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)

        answers = await asyncio.gather(*(storage.withdraw(paid.id) for _ in range(10)))

        assert sum(answers) == 1

    async def test_a_message_is_either_withdrawn_or_consumed(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        paid = event(run)
        await storage.post(paid)

        withdrawn, committed = await asyncio.gather(
            storage.withdraw(paid.id),
            storage.commit(change(moved(run), consumed=(paid.id,))),
            return_exceptions=True,
        )

        assert isinstance(committed, StaleInstance) == withdrawn
        assert (await storage.load(run.run_id)).inbox == ()
