"""The keeper renews all leases of a process, and stops the bodies of those that are lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest

from hephaestus.clock import SystemClock
from hephaestus.errors import StorageUnavailable
from hephaestus.execution import Held, LeaseKeeper
from hephaestus.memory import MemoryStorage
from hephaestus.storage import Lease, Storage
from hephaestus.testing.runner.outage import Outage
from hephaestus.testing.storage.samples import (
    ALICE,
    BOB,
    NOW,
    SECOND,
    commit,
    moved,
    new_run,
    store,
)

LENGTH = 15 * SECOND


class Metronome(SystemClock):
    """A clock on which each pause ends when the test says so."""

    def __init__(self) -> None:
        self.time = NOW
        self.pauses: list[float] = []
        self.paused = asyncio.Event()
        self._next = asyncio.Event()

    def now(self) -> datetime:
        return self.time

    async def pause(self, seconds: float, sooner: asyncio.Event | None = None) -> datetime:
        self.pauses.append(seconds)
        self.paused.set()
        await self._next.wait()
        self._next.clear()
        self.time += timedelta(seconds=seconds)
        return self.time

    async def tick(self) -> None:
        """End the pause, and return when the next one begins."""
        self.paused.clear()
        self._next.set()
        async with asyncio.timeout(5):
            await self.paused.wait()


class Bodies:
    """Bodies that hang under leases that are held."""

    def __init__(self) -> None:
        self._stopped: list[Held] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self, held: Held) -> Held:
        """Begin a body that hangs, and return the lease that it runs under."""
        begun = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._hang(held, begun)))
        await begun.wait()
        return held

    async def stopped(self) -> list[Held]:
        """Return the leases whose bodies were stopped by now."""
        cancelled = [task for task in self._tasks if task.cancelling()]
        await asyncio.gather(*cancelled, return_exceptions=True)
        return self._stopped.copy()

    async def end(self) -> None:
        """End all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hang(self, held: Held, begun: asyncio.Event) -> None:
        with held:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self._stopped.append(held)
                raise


class Faulty(MemoryStorage):
    """A storage whose first renewal raises what no storage may."""

    sound = False

    async def renew(self, leases: Sequence[Lease], until: datetime, now: datetime) -> list[Lease]:
        if not self.sound:
            self.sound = True
            raise OSError("no route to the storage")
        return await super().renew(leases, until, now)


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def clock() -> Metronome:
    return Metronome()


@pytest.fixture
async def bodies() -> AsyncIterator[Bodies]:
    bodies = Bodies()
    yield bodies
    await bodies.end()


@pytest.fixture
def keeper(storage: Storage, clock: Metronome) -> LeaseKeeper:
    return LeaseKeeper(storage, clock, ALICE, LENGTH)


async def leased(storage: Storage, keeper: LeaseKeeper) -> Lease:
    """Return the lease of a stored run's step."""
    run = new_run()
    lease = keeper.lease(run.run_id, "charge", 1, NOW)
    await store(storage, run, granted=(lease,))
    return lease


async def until(storage: Storage, lease: Lease) -> datetime:
    """Return until when the storage knows a lease."""
    snapshot = await storage.load(lease.run_id)
    return snapshot.leases[0].until


async def test_a_lease_is_the_owners_for_its_whole_length(keeper: LeaseKeeper) -> None:
    lease = keeper.lease("run", "charge", 2, NOW)

    assert (("run", "charge", 2), ALICE, NOW + LENGTH) == (lease.key, lease.owner, lease.until)
    assert lease.number != keeper.lease("run", "charge", 2, NOW).number


async def test_held_leases_are_renewed(
    storage: Storage, keeper: LeaseKeeper, bodies: Bodies
) -> None:
    first, second = await leased(storage, keeper), await leased(storage, keeper)
    await bodies.begin(keeper.hold(first))
    await bodies.begin(keeper.hold(second))

    await keeper.renew(NOW + 5 * SECOND)

    assert [] == await bodies.stopped()
    assert [NOW + 20 * SECOND] * 2 == [await until(storage, one) for one in (first, second)]


async def test_what_was_dropped_is_renewed_no_more(
    storage: Storage, keeper: LeaseKeeper, bodies: Bodies
) -> None:
    lease = await leased(storage, keeper)
    held = await bodies.begin(keeper.hold(lease))
    keeper.drop(held)
    keeper.drop(held)

    await keeper.renew(NOW + 5 * SECOND)

    assert held.ended
    assert ([], NOW + LENGTH) == (await bodies.stopped(), await until(storage, lease))


async def test_the_body_of_a_lost_lease_is_stopped_once(
    storage: Storage, keeper: LeaseKeeper, caplog: pytest.LogCaptureFixture, bodies: Bodies
) -> None:
    lost, kept = await leased(storage, keeper), await leased(storage, keeper)
    held = [await bodies.begin(keeper.hold(lease)) for lease in (lost, kept)]
    run = (await storage.load(lost.run_id)).instance
    await commit(storage, moved(run), ended=(("charge", 1),))

    await keeper.renew(NOW + 5 * SECOND)
    await keeper.renew(NOW + 10 * SECOND)

    assert held[:1] == await bodies.stopped()
    assert [True, False] == [one.ended for one in held]
    assert f"the lease of step 'charge', attempt 1, of run {lost.run_id} is lost" in caplog.text


async def test_a_lease_that_expired_before_its_renewal_is_lost(
    storage: Storage, keeper: LeaseKeeper, clock: Metronome, bodies: Bodies
) -> None:
    lease = await leased(storage, keeper)
    held = await bodies.begin(keeper.hold(lease))

    clock.time = NOW + LENGTH
    await keeper.renew(clock.time)

    assert ([held], NOW + LENGTH) == (await bodies.stopped(), await until(storage, lease))


async def test_a_commit_of_this_process_stops_the_bodies_whose_leases_it_ended(
    storage: Storage, keeper: LeaseKeeper, bodies: Bodies
) -> None:
    lease, other = await leased(storage, keeper), await leased(storage, keeper)
    held = [await bodies.begin(keeper.hold(one)) for one in (lease, other)]

    keeper.lose(keeper.of(lease.run_id, [("charge", 2), ("ship", 1)]))
    untouched = await bodies.stopped()
    keeper.lose(keeper.of(lease.run_id, [("charge", 1)]))

    assert ([], held[:1]) == (untouched, await bodies.stopped())
    assert [True, False] == [one.ended for one in held]


async def test_a_later_lease_of_the_same_attempt_stops_the_body_of_the_earlier_one(
    storage: Storage, keeper: LeaseKeeper, bodies: Bodies
) -> None:
    earlier = await leased(storage, keeper)
    later = keeper.lease(earlier.run_id, earlier.step, earlier.attempt, NOW + SECOND)
    former = await bodies.begin(keeper.hold(earlier))

    held = await bodies.begin(keeper.hold(later))
    keeper.drop(former)

    assert [former] == await bodies.stopped()
    assert (True, False) == (former.ended, held.ended)


async def test_it_carries_a_run_as_long_as_it_holds_the_only_step(
    storage: Storage, keeper: LeaseKeeper
) -> None:
    first, second = (keeper.lease("run", key, 1, NOW) for key in ("charge", "ship"))
    seen = [keeper.carries("run")]

    held = keeper.hold(first, sole=True)
    seen.append(keeper.carries("run"))
    keeper.drop(held)
    seen.append(keeper.carries("run"))
    keeper.hold(second)
    seen.append(keeper.carries("run"))

    assert [False, True, False, False] == seen


async def test_what_is_lost_or_given_back_is_not_carried(
    storage: Storage, keeper: LeaseKeeper
) -> None:
    lost, ended, kept = [keeper.hold(await leased(storage, keeper), sole=True) for _ in range(3)]
    run = (await storage.load(lost.lease.run_id)).instance
    await commit(storage, moved(run), ended=(("charge", 1),))

    await keeper.renew(NOW + 5 * SECOND)
    keeper.lose([ended])
    carried = [keeper.carries(one.lease.run_id) for one in (lost, ended, kept)]
    await keeper.release()

    assert [False, False, True] == carried
    assert not keeper.carries(kept.lease.run_id)


async def test_what_is_still_held_is_given_back(
    storage: Storage, keeper: LeaseKeeper, bodies: Bodies
) -> None:
    lease, dropped = await leased(storage, keeper), await leased(storage, keeper)
    await bodies.begin(keeper.hold(lease))
    keeper.drop(await bodies.begin(keeper.hold(dropped)))

    await keeper.release()
    await keeper.release()

    released = [(await storage.load(one.run_id)).leases[0].released for one in (lease, dropped)]
    assert [True, False] == released
    assert [] == await bodies.stopped()


async def test_nobody_gives_back_what_is_anothers(storage: Storage, clock: Metronome) -> None:
    alice, bob = (LeaseKeeper(storage, clock, owner, LENGTH) for owner in (ALICE, BOB))
    lease = await leased(storage, alice)
    bob.hold(lease)

    await bob.release()

    # The lease still names Alice, and what a storage compares is the owner in it.
    assert ALICE == (await storage.load(lease.run_id)).leases[0].owner


async def test_a_lease_is_renewed_three_times_in_its_length(
    storage: Storage, keeper: LeaseKeeper, clock: Metronome, bodies: Bodies
) -> None:
    lease = await leased(storage, keeper)
    await bodies.begin(keeper.hold(lease))

    running = asyncio.create_task(keeper.run())
    await clock.paused.wait()
    times = []
    for _ in range(5):
        await clock.tick()
        times.append(await until(storage, lease) - NOW)
    running.cancel()

    assert {5.0} == set(clock.pauses)
    assert [20 * SECOND, 25 * SECOND, 30 * SECOND, 35 * SECOND, 40 * SECOND] == times
    assert [] == await bodies.stopped()


async def test_a_storage_that_is_away_does_not_end_the_renewing(
    storage: Storage, clock: Metronome, caplog: pytest.LogCaptureFixture
) -> None:
    outage = Outage(storage)
    keeper = LeaseKeeper(outage.storage, clock, ALICE, LENGTH)
    lease = await leased(storage, keeper)
    keeper.hold(lease)

    outage.fail("renew")
    running = asyncio.create_task(keeper.run())
    await clock.paused.wait()
    await clock.tick()
    await clock.tick()
    running.cancel()

    assert "leases could not be renewed" in caplog.text
    assert NOW + 25 * SECOND == await until(storage, lease)


async def test_an_error_that_nobody_foresaw_does_not_end_the_renewing(
    clock: Metronome, caplog: pytest.LogCaptureFixture, bodies: Bodies
) -> None:
    storage = Faulty()
    keeper = LeaseKeeper(storage, clock, ALICE, LENGTH)
    lease = await leased(storage, keeper)
    await bodies.begin(keeper.hold(lease))

    running = asyncio.create_task(keeper.run())
    await clock.paused.wait()
    await clock.tick()
    await clock.tick()
    running.cancel()

    assert "OSError: no route to the storage" in caplog.text
    assert ([], NOW + 25 * SECOND) == (await bodies.stopped(), await until(storage, lease))


async def test_a_commit_that_is_answered_late_leaves_a_later_lease_of_the_attempt_alone(
    storage: Storage, keeper: LeaseKeeper, bodies: Bodies
) -> None:
    lease = await leased(storage, keeper)
    keeper.hold(lease)
    ending = keeper.of(lease.run_id, [("charge", 1)])
    later = await bodies.begin(keeper.hold(keeper.lease(*lease.key, NOW + SECOND)))

    keeper.lose(ending)

    assert ([], False) == (await bodies.stopped(), later.ended)


async def test_the_body_of_an_earlier_lease_of_the_same_attempt_is_stopped(
    storage: Storage, keeper: LeaseKeeper, bodies: Bodies
) -> None:
    lease = await leased(storage, keeper)
    former = await bodies.begin(keeper.hold(lease))

    later = keeper.hold(keeper.lease(*lease.key, NOW + SECOND))
    keeper.drop(former)

    assert ([former], True, False) == (await bodies.stopped(), former.ended, later.ended)


async def test_what_was_abandoned_is_given_back(storage: Storage, keeper: LeaseKeeper) -> None:
    lease = await leased(storage, keeper)
    keeper.abandon([lease])

    await keeper.release()

    (shown,) = (await storage.load(lease.run_id)).leases
    assert shown.released


async def test_giving_back_what_was_abandoned_leaves_a_later_lease_alone(
    storage: Storage, clock: Metronome, keeper: LeaseKeeper
) -> None:
    lease = await leased(storage, keeper)
    keeper.hold(lease)
    keeper.abandon([keeper.lease(*lease.key, NOW)])

    running = asyncio.create_task(keeper.run())
    await clock.paused.wait()
    await clock.tick()
    running.cancel()

    assert (await storage.load(lease.run_id)).live(NOW)


async def test_where_nothing_is_held_the_storage_is_not_asked(
    storage: Storage, clock: Metronome
) -> None:
    outage = Outage(storage)
    keeper = LeaseKeeper(outage.storage, clock, ALICE, LENGTH)

    running = asyncio.create_task(keeper.run())
    await clock.paused.wait()
    await clock.tick()
    running.cancel()
    await keeper.release()

    assert {} == outage.calls


async def test_a_release_that_fails_says_so(storage: Storage, clock: Metronome) -> None:
    outage = Outage(storage)
    keeper = LeaseKeeper(outage.storage, clock, ALICE, LENGTH)
    keeper.hold(await leased(storage, keeper))

    outage.fail("release")

    with pytest.raises(StorageUnavailable):
        await keeper.release()


async def test_a_lease_that_is_lost_after_its_body_stops_nothing(
    storage: Storage, keeper: LeaseKeeper
) -> None:
    held = keeper.hold(await leased(storage, keeper))

    with held:
        pass
    held.lose()
    await asyncio.sleep(0)

    assert held.ended


async def test_the_body_of_a_lost_lease_is_stopped_from_within_as_well(
    storage: Storage, keeper: LeaseKeeper
) -> None:
    held = keeper.hold(await leased(storage, keeper))

    async def body() -> None:
        with held:
            held.lose()
            await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(body())
