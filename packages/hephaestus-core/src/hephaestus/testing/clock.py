"""A clock that a test moves."""

import asyncio
import heapq
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakSet

from hephaestus import duration
from hephaestus.duration import Duration
from hephaestus.errors import InvalidArgument

_START = datetime(2030, 1, 1, tzinfo=UTC)
_QUIET_ROUNDS = 10
"""How many rounds of the event loop without work count as rest."""

_PATIENT_ROUNDS = 200
"""After how many rounds with work that work is taken to wait for a thread or the network."""


class VirtualClock:
    """Stands still until `advance` moves it, so that a wait of three days takes milliseconds.

        clock = VirtualClock()
        async with Hephaestus(clock=clock):
            order = await OrderFlow.start("42", {"item_count": 3})
            await clock.advance(timedelta(days=3))
            instance = await order.wait()

    On its way the clock stops wherever a timer or a retry is due or a sleeper wakes, and goes
    on when what that set off has come to rest. So a timer that is set on the way fires on time,
    too; the regular looks and renewals between two stops are left out; and a step that is
    executing keeps its lease. It moves the apps that it was given to, not the time limits of
    steps or of `wait`, which are real.

    Args:
        start: The first time that it shows.
        patience: Real seconds after which a step that does not end is taken to wait for the
            test, and the clock goes on.

    Raises:
        InvalidArgument: `start` has no time zone.
    """

    def __init__(self, start: datetime = _START, *, patience: Duration = 1) -> None:
        if start.tzinfo is None:
            raise InvalidArgument(f"start= needs a time zone, got {start!r}")
        self._now = start.astimezone(UTC)
        self._patience = duration.parse(patience, "patience=").total_seconds()
        self._destination: datetime | None = None
        self._advancing = asyncio.Lock()
        self._order = itertools.count()
        self._expected: list[datetime] = []
        self._sleeping: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._pausing: list[asyncio.Future[None]] = []
        self._working: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._rested = asyncio.Event()
        self._readings = 0

    def now(self) -> datetime:
        """Return the time to which the clock was moved."""
        self._readings += 1
        return self._now

    async def advance(self, by: Duration) -> None:
        """Move the time, and return when all that became due has come to rest.

        Raises:
            InvalidArgument: It would move backwards.
        """
        span = duration.parse(by, "by")
        async with self._advancing:
            destination = self._destination = self._now + span
            waiting: set[asyncio.Task[Any]] = set()
            try:
                await self._rest(waiting)
                while self._now < destination:
                    # Leases are renewed before the jump, and what is due is found after it.
                    self._end_pauses()
                    await self._rest(waiting)
                    self._now = self._next_stop(destination)
                    self._wake()
                    self._end_pauses()
                    await self._rest(waiting)
            finally:
                self._destination = None

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has been moved by that many seconds."""
        woken = asyncio.get_running_loop().create_future()
        at = self._now + timedelta(seconds=max(0, seconds))
        if at <= self._now:
            await asyncio.sleep(0)
            return
        heapq.heappush(self._sleeping, (at, next(self._order), woken))
        with self._resting():
            await woken

    async def pause(
        self,
        seconds: float,  # noqa: ARG002  # this clock ends a pause when it jumps, not by its length
        sooner: asyncio.Event | None = None,
    ) -> datetime:
        """Return before the next jump and after it, or when `sooner` is set."""
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting: set[asyncio.Future[Any]] = {over}
        if sooner is not None:
            waiting.add(asyncio.ensure_future(sooner.wait()))
        self._pausing.append(over)
        try:
            with self._resting():
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
            if over in self._pausing:
                self._pausing.remove(over)
        return self._destination or self._now

    def expect(self, at: datetime) -> None:
        """Stop at that time on the way."""
        heapq.heappush(self._expected, at)

    def attend(self, work: asyncio.Task[Any]) -> None:
        """Let the work come to rest before the clock moves on."""
        self._working.add(work)
        work.add_done_callback(self._stir)

    @contextmanager
    def _resting(self) -> Iterator[None]:
        """Count the current task as resting within the block, and as working after it."""
        task = asyncio.current_task()
        assert task is not None, "only a task can wait"
        self._working.discard(task)
        self._stir()
        try:
            yield
        finally:
            self._working.add(task)

    def _stir(self, _task: object = None) -> None:
        self._rested.set()

    def _next_stop(self, destination: datetime) -> datetime:
        while self._expected and self._expected[0] <= self._now:
            heapq.heappop(self._expected)
        while self._sleeping and self._sleeping[0][2].done():
            heapq.heappop(self._sleeping)
        stops = [destination, *self._expected[:1]]
        stops.extend(at for at, _, _ in self._sleeping[:1])
        return min(stops)

    def _wake(self) -> None:
        """Wake the sleepers whose time has come, in the order of their deadlines."""
        while self._sleeping and self._sleeping[0][0] <= self._now:
            _end(heapq.heappop(self._sleeping)[2])

    def _end_pauses(self) -> None:
        ended, self._pausing = self._pausing, []
        for pause in ended:
            _end(pause)

    async def _rest(self, waiting: set[asyncio.Task[Any]]) -> None:
        """Return when no task works; those that wait for the test are added to `waiting`."""
        quiet = busy = 0
        while quiet < _QUIET_ROUNDS:
            await asyncio.sleep(0)
            working = self._busy() - waiting
            quiet, busy = (0, busy + 1) if working else (quiet + 1, 0)
            if busy > _PATIENT_ROUNDS and not await self._progress():
                waiting |= working

    def _busy(self) -> set[asyncio.Task[Any]]:
        here = asyncio.get_running_loop()
        others = set(self._working) - {asyncio.current_task()}
        return {task for task in others if not task.done() and task.get_loop() is here}

    async def _progress(self) -> bool:
        """Return whether any work ends, rests or asks for the time while patience lasts."""
        readings = self._readings
        rested = self._rested = asyncio.Event()
        try:
            async with asyncio.timeout(self._patience):
                await rested.wait()
        except TimeoutError:
            return readings != self._readings
        return True


def _end(wait: "asyncio.Future[None]") -> None:
    """End a wait, on whichever event loop it is."""
    wait.get_loop().call_soon_threadsafe(_settle, wait)


def _settle(wait: "asyncio.Future[None]") -> None:
    if not wait.done():
        wait.set_result(None)
