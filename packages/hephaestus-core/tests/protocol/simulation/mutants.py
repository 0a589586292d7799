"""Storages that break one rule each, so that it is known that the model can fail."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from hephaestus.instance import Instance
from hephaestus.memory import MemoryStorage
from hephaestus.message import Message, StepEnded
from hephaestus.storage import Change, Lease, Owner, Snapshot


class PostsMakeNothingDue(MemoryStorage):
    """A message waits until something else wakes its run."""

    async def post(self, message: Message, *, session: object = None) -> bool:
        accepted = await super().post(message, session=session)
        if accepted:
            self._rows[message.run_id].inbox[message.id].seen = True
        return accepted


class ClaimsDespiteTheOutcome(MemoryStorage):
    """A claim does not look into the inbox."""

    async def claim(
        self, lease: Lease, now: datetime, *, results: Collection[str]
    ) -> Instance | None:
        row = self._rows.get(lease.run_id)
        if row is None:
            return None
        inbox = dict(row.inbox)
        for message in (await self.load(lease.run_id)).inbox:
            if isinstance(message.body, StepEnded):
                del row.inbox[message.id]
        try:
            return await super().claim(lease, now, results=results)
        finally:
            row.inbox = inbox


class ClaimsDespiteTheLease(MemoryStorage):
    """A claim takes what another holds."""

    async def claim(
        self, lease: Lease, now: datetime, *, results: Collection[str]
    ) -> Instance | None:
        row = self._rows.get(lease.run_id)
        if row is not None:
            row.leases.pop((lease.step, lease.attempt), None)
        return await super().claim(lease, now, results=results)


class ClaimsDespiteTheAttempt(MemoryStorage):
    """A claim of an earlier attempt is granted, too."""

    async def claim(
        self, lease: Lease, now: datetime, *, results: Collection[str]
    ) -> Instance | None:
        row = self._rows.get(lease.run_id)
        if row is None:
            return None
        ready = dict(row.ready)
        row.ready = dict.fromkeys(ready, lease.attempt)
        try:
            return await super().claim(lease, now, results=results)
        finally:
            row.ready = ready


class ExpiryReusesTheAttempt(MemoryStorage):
    """Leases that expired count as given back, so that attempts are executed again."""

    async def due(
        self,
        now: datetime,
        limit: int,
        workflows: Collection[tuple[str, int]],
        *,
        hand_over: timedelta,
    ) -> list[str]:
        for row in self._rows.values():
            for place, lease in row.leases.items():
                released = lease.released or lease.until <= now
                row.leases[place] = msgspec.structs.replace(lease, released=released)
        return await super().due(now, limit, workflows, hand_over=hand_over)


class ReleaseLosesTheAttempt(MemoryStorage):
    """An attempt that was given back counts as lost."""

    async def load(self, run_id: str) -> Snapshot:
        snapshot = await super().load(run_id)
        leases = tuple(msgspec.structs.replace(one, released=False) for one in snapshot.leases)
        return msgspec.structs.replace(snapshot, leases=leases)


class CommitsIgnoreTheToken(MemoryStorage):
    """A commit of the stored revision is taken for a repetition, whoever wrote that."""

    async def commit(self, change: Change) -> None:
        row = self._rows.get(change.instance.run_id)
        if row is None or row.revision != change.instance.revision:
            await super().commit(change)


class CommitsIgnoreTheRevision(MemoryStorage):
    """The last writer wins."""

    async def commit(self, change: Change) -> None:
        row = self._rows.get(change.instance.run_id)
        if row is not None:
            row.revision = change.instance.revision - 1
        await super().commit(change)


class CommitsLeaveTheLeases(MemoryStorage):
    """A commit does not end leases."""

    async def commit(self, change: Change) -> None:
        await super().commit(msgspec.structs.replace(change, ended=()))


class CommitsFreeNothing(MemoryStorage):
    """A lease that was given back stays, and is reported again and again."""

    async def commit(self, change: Change) -> None:
        await super().commit(msgspec.structs.replace(change, freed=()))


class CommitsForgetToWake(MemoryStorage):
    """Nobody knows when a timer fires."""

    async def commit(self, change: Change) -> None:
        await super().commit(msgspec.structs.replace(change, wake_at=None))


class CommitsLoseTheGrants(MemoryStorage):
    """The writer believes in a lease that is not stored."""

    async def commit(self, change: Change) -> None:
        await super().commit(msgspec.structs.replace(change, granted=()))


class PostsForgetTheirKeys(MemoryStorage):
    """A message that was consumed may be posted again."""

    async def post(self, message: Message, *, session: object = None) -> bool:
        row = self._rows.get(message.run_id)
        if row is not None:
            row.dedup_keys.discard(message.dedup_key)
        return await super().post(message, session=session)


class RenewalsNeverFail(MemoryStorage):
    """Nobody hears that a lease is lost."""

    async def renew(self, leases: Sequence[Lease], until: datetime, now: datetime) -> list[Lease]:
        await super().renew(leases, until, now)
        return []


class RenewalsDoNothing(MemoryStorage):
    """A lease ends, however alive its owner is."""

    async def renew(self, leases: Sequence[Lease], until: datetime, now: datetime) -> list[Lease]:
        return []


class KeysAreNotUnique(MemoryStorage):
    """A second run of one key may start."""

    async def create(self, change: Change, *, session: object = None) -> None:
        self._holders.clear()
        await super().create(change, session=session)


class MessagesComeInAnyOrder(MemoryStorage):
    """The inbox is read backwards."""

    async def load(self, run_id: str) -> Snapshot:
        snapshot = await super().load(run_id)
        return msgspec.structs.replace(snapshot, inbox=snapshot.inbox[::-1])


class OnlyTimersAreDue(MemoryStorage):
    """Leases that ended and messages wake nobody."""

    async def due(
        self,
        now: datetime,
        limit: int,
        workflows: Collection[tuple[str, int]],
        *,
        hand_over: timedelta,
    ) -> list[str]:
        found = await super().due(now, limit, workflows, hand_over=hand_over)
        return [run_id for run_id in found if (self._rows[run_id].wake_at or now) < now]


class AdoptionTakesFromAll(MemoryStorage):
    """A start ends the leases of workers that bear another name."""

    async def adopt(self, owner: Owner, now: datetime) -> int:
        for row in self._rows.values():
            for place, lease in row.leases.items():
                row.leases[place] = msgspec.structs.replace(lease, until=min(lease.until, now))
        return 0


class WithdrawalsAreNoRevision(MemoryStorage):
    """A commit does not notice that a message was withdrawn meanwhile."""

    async def withdraw(self, message_id: str) -> bool:
        run_id = self._addressees.get(message_id)
        withdrawn = await super().withdraw(message_id)
        if withdrawn and run_id is not None:
            self._rows[run_id].revision -= 1
        return withdrawn


MUTANTS: tuple[type[MemoryStorage], ...] = (
    AdoptionTakesFromAll,
    ClaimsDespiteTheAttempt,
    ClaimsDespiteTheLease,
    ClaimsDespiteTheOutcome,
    CommitsForgetToWake,
    CommitsFreeNothing,
    CommitsIgnoreTheRevision,
    CommitsIgnoreTheToken,
    CommitsLeaveTheLeases,
    CommitsLoseTheGrants,
    ExpiryReusesTheAttempt,
    KeysAreNotUnique,
    MessagesComeInAnyOrder,
    OnlyTimersAreDue,
    PostsForgetTheirKeys,
    PostsMakeNothingDue,
    ReleaseLosesTheAttempt,
    RenewalsDoNothing,
    RenewalsNeverFail,
    WithdrawalsAreNoRevision,
)
