"""RedisStorage and MemoryStorage are told the same at random, and never answer differently.

HEPHAESTUS_SEEDS says how many stories there are; a seed that fails tells its own.
"""

import os
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from hephaestus import MemoryStorage
from hephaestus.context import Context
from hephaestus.errors import AmbiguousInstance, HephaestusError
from hephaestus.instance import STATUSES, TERMINAL, ActiveStep, Instance, Status
from hephaestus.message import EventPosted, Message
from hephaestus.storage import Lease, Owner, Storage
from hephaestus.testing.storage.samples import (
    ALICE,
    ALICE_AGAIN,
    BOB,
    LEASE,
    NAMELESS,
    NOW,
    ORDERS,
    change,
    due,
    entry,
    event,
    new_run,
    outcome,
)
from hephaestus_redis import RedisStorage

SEEDS = range(int(os.environ.get("HEPHAESTUS_SEEDS", "30")))
LENGTH = 120
"""So many calls make a story."""

STEPS = ("charge", "pack")
OWNERS = (ALICE, ALICE_AGAIN, BOB, NAMELESS)
FAMILIES = (ORDERS, "shop.Returns", "shop.Orders.V2")

Call = Callable[[Storage], Awaitable[Any]]


@pytest.mark.parametrize("seed", SEEDS)
async def test_two_storages_that_are_told_the_same_answer_the_same(
    storage: RedisStorage, seed: int
) -> None:
    story = Story(random.Random(seed))
    memory = MemoryStorage()

    for _ in range(LENGTH):
        name, call = story.next()
        theirs, ours = await _answer(memory, call), await _answer(storage, call)
        assert theirs == ours, f"{name} after {story.told}"
        story.told.append(name)
        if isinstance(theirs, Instance):
            story.note(theirs)

    for run in story.runs:
        for look in _LOOKS:
            theirs, ours = await _answer(memory, look(run)), await _answer(storage, look(run))
            assert theirs == ours, f"{look} of {run} after {story.told}"


class Story:
    """Calls at random, about few runs, so that they get into each other's way."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._now = NOW
        self.told: list[str] = []
        self.runs: list[Instance] = []
        self._messages: list[Message] = []
        self._leases: list[Lease] = []
        self._verbs = [
            (4, self._create), (12, self._commit), (2, self._put), (8, self._post),
            (2, self._withdraw), (6, self._due), (8, self._claim), (4, self._renew),
            (3, self._release), (1, self._adopt), (1, self._delete), (1, self._prune),
            (2, self._record), (4, self._query), (2, self._count), (1, self._ids), (3, self._get),
        ]  # fmt: skip

    def next(self) -> tuple[str, Call]:
        """Return the next call, and what it is called."""
        self._now += self._chance.choice((timedelta(), timedelta(seconds=1), LEASE / 2))
        weights = [weight for weight, _ in self._verbs]
        verb = self._chance.choices([verb for _, verb in self._verbs], weights)[0]
        verb = verb if self.runs else self._create
        return f"{verb.__name__} {len(self.told)}", verb()

    def note(self, instance: Instance) -> None:
        """Go on from a run as it was read."""
        self.runs = [instance if run.run_id == instance.run_id else run for run in self.runs]

    def _create(self) -> Call:
        number = self._chance.randrange(4)
        run = new_run(
            f"orderid::{number}",
            workflow=self._chance.choice(FAMILIES),
            workflow_version=self._chance.choice((1, 2)),
            created_at=self._now,
            updated_at=self._now,
            unique_key=self._chance.choice((None, f"orders {number}")),
            tags=self._chance.choice(((), ("gift",))),
            initial={"number": number},
            **self._state(),
        )
        self.runs.append(run)
        creation = change(run, wake_at=self._moment(), entries=(entry(run.run_id),))
        return lambda storage: storage.create(creation)

    def _commit(self) -> Call:
        run = self._run()
        wanted = self._some([message.id for message in self._messages])
        kept = self._some([message.id for message in self._messages])
        places = [(lease.step, lease.attempt) for lease in self._leases]
        after = msgspec.structs.replace(
            run, revision=run.revision + 1, updated_at=self._now, **self._state(),
            context=Context(initial=run.context.initial, steps={"check": {"at": run.revision}}),
        )  # fmt: skip
        granted = (self._lease(run),) if self._chance.random() < 0.3 else ()
        written = change(
            after, results=("check",), entries=(entry(run.run_id),), wake_at=self._moment(),
            granted=granted, ended=self._some(places), freed=self._some(places),
        )  # fmt: skip

        async def commit(storage: Storage) -> Instance:
            there = [message.id for message in (await storage.load(run.run_id)).inbox]
            consumed = tuple(id for id in there if id in wanted)
            left = tuple(id for id in kept if id not in wanted)
            await storage.commit(msgspec.structs.replace(written, consumed=consumed, kept=left))
            return await storage.get(run.run_id, history=False)

        return commit

    def _put(self) -> Call:
        run = msgspec.structs.replace(self._run(), workflow=self._chance.choice(FAMILIES),
                                      execution_history=(), **self._state())  # fmt: skip

        async def put(storage: Storage) -> Instance:
            await storage.put(run)
            return await storage.get(run.run_id, history=False)

        return put

    def _post(self) -> Call:
        run = self._run()
        at = self._moment()
        fresh = self._chance.choice((
            event(run, not_before=at, dedup_key=f"click {self._chance.randrange(5)}"),
            event(run), outcome(run), outcome(run, attempt=2),
        ))  # fmt: skip
        # An outcome that was consumed may be forgotten, so those come once.
        events = [one for one in self._messages if isinstance(one.body, EventPosted)]
        message = self._chance.choice([*events, fresh, fresh, fresh])
        self._messages.append(message)
        return lambda storage: storage.post(message)

    def _withdraw(self) -> Call:
        id = self._chance.choice([message.id for message in self._messages] or ["never"])

        async def withdraw(storage: Storage) -> object:
            answer = await storage.withdraw(id)
            return answer, [run.revision for run in await storage.query()]

        return withdraw

    def _due(self) -> Call:
        now = self._now
        known = frozenset((name, version) for name in FAMILIES[:2] for version in (1, 2))

        async def ask(storage: Storage) -> object:
            # A run that comes back after a hand-over may stand behind those that came meanwhile.
            return sorted(await due(storage, now, workflows=known))

        return ask

    def _claim(self) -> Call:
        lease = self._lease(self._run())
        return lambda storage: storage.claim(lease, self._now, results=("check",))

    def _renew(self) -> Call:
        leases, now = list(self._some(self._leases)), self._now
        return lambda storage: storage.renew(leases, now + LEASE, now)

    def _release(self) -> Call:
        leases, now = list(self._some(self._leases)), self._now
        return lambda storage: storage.release(leases, now)

    def _adopt(self) -> Call:
        owner, now = self._chance.choice(OWNERS), self._now
        return lambda storage: storage.adopt(owner, now)

    def _delete(self) -> Call:
        run = self._run()
        id = self._chance.choice((run.id, run.run_id, run.run_id))
        return lambda storage: storage.delete(id)

    def _prune(self) -> Call:
        before = self._now - LEASE
        return lambda storage: storage.prune(before, limit=2)

    def _record(self) -> Call:
        recorded = entry(self._run().run_id)
        return lambda storage: storage.record(recorded)

    def _query(self) -> Call:
        filters = self._filters() | self._chance.choice((
            {}, {"limit": 2}, {"order": "oldest"}, {"after": self._run().run_id},
            {"order": "oldest", "after": self._run().run_id, "limit": 3},
        ))  # fmt: skip
        return lambda storage: storage.query(**filters)

    def _count(self) -> Call:
        filters = self._filters()
        return lambda storage: storage.count(**filters)

    def _ids(self) -> Call:
        workflow = self._chance.choice((None, *FAMILIES))
        return lambda storage: storage.ids(workflow)

    def _get(self) -> Call:
        run = self._run()
        id = self._chance.choice((run.id, run.run_id))
        return lambda storage: storage.get(id)

    def _filters(self) -> dict[str, Any]:
        some: tuple[dict[str, Any], ...] = (
            {"id": self._run().id}, {"run_id": self._run().run_id}, {"tag": "gift"},
            {"status": self._status()}, {"status_in": [self._status(), self._status()]},
            {"workflow": self._chance.choice(FAMILIES)}, {"workflow_version": 2},
            {"workflow_family": "shop.O"}, {"created_after": self._run().created_at},
            {"created_before": self._run().created_at}, {"updated_after": self._now - LEASE},
            {"context": {"initial": {"number": 1}}}, {"context": {"steps": {"check": {}}}},
        )  # fmt: skip
        chosen = self._chance.sample(some, self._chance.randrange(4))
        return {name: value for filters in chosen for name, value in filters.items()}

    def _state(self) -> dict[str, Any]:
        status = self._status()
        if status in TERMINAL:
            return {"status": status, "active": {}, "finished_at": self._now}
        active = {
            key: ActiveStep(since=NOW, attempt=self._chance.choice((1, 2)))
            for key in self._some(STEPS)
        }
        return {"status": status, "active": active, "finished_at": None}

    def _status(self) -> Status:
        return self._chance.choice((*STATUSES, "running", "running", "waiting"))

    def _run(self) -> Instance:
        return self._chance.choice(self.runs)

    def _lease(self, run: Instance) -> Lease:
        lease = Lease(
            run_id=run.run_id, step=self._chance.choice(STEPS),
            attempt=self._chance.choice((1, 2)), owner=self._owner(),
            number=self._chance.randrange(3), until=self._now + LEASE,
        )  # fmt: skip
        self._leases.append(lease)
        return lease

    def _owner(self) -> Owner:
        return self._chance.choice(OWNERS)

    def _moment(self) -> datetime | None:
        return self._chance.choice((None, self._now, self._now + LEASE))

    def _some(self, among: Any) -> tuple[Any, ...]:
        return tuple(one for one in among if self._chance.random() < 0.3)


_LOOKS: tuple[Callable[[Instance], Call], ...] = (
    lambda run: lambda storage: _snapshot(storage, run.run_id),
    lambda run: lambda storage: storage.entries(run.run_id),
    lambda run: lambda storage: storage.get(run.id),
)


async def _snapshot(storage: Storage, run_id: str) -> object:
    """Return a snapshot without what is each storage's own: numbers, and the order of leases."""
    snapshot = await storage.load(run_id)
    inbox = [msgspec.structs.replace(message, sequence=0) for message in snapshot.inbox]
    return snapshot.instance, inbox, sorted(snapshot.leases, key=lambda lease: lease.key)


async def _answer(storage: Storage, call: Call) -> Any:
    try:
        return await call(storage)
    except HephaestusError as error:
        facts = sorted(error.runs) if isinstance(error, AmbiguousInstance) else error.args
        return type(error), facts
