"""When the runner looks for due runs next."""

import asyncio
import heapq
from datetime import datetime, timedelta

from hephaestus.clock import Clock


class Alarm:
    """Rings at a regular interval, and at the times noted that lie within the next two.

    Times further ahead need no note: a regular look finds them. So ten thousand runs that wait
    for days cost nothing here.
    """

    def __init__(self, clock: Clock, interval: timedelta) -> None:
        self._clock = clock
        self._interval = interval
        self._next = clock.now()
        self._next_but_one = self._next + interval
        self._noted: list[datetime] = []
        self._sooner = asyncio.Event()

    def note(self, at: datetime | None) -> None:
        """Ring at this time, too, if it comes before the next regular look but one."""
        if at is None:
            return
        self._clock.expect(at)
        if at >= self._next_but_one:
            return
        if not self._noted or at < self._noted[0]:
            self._sooner.set()
        heapq.heappush(self._noted, at)

    def now(self) -> None:
        """Ring as soon as possible."""
        self.note(self._clock.now())

    async def ring(self) -> None:
        """Return when it is time to look."""
        while True:
            now = self._clock.now()
            at = min([self._next, *self._noted[:1]])
            if at <= now or await self._pause((at - now).total_seconds()):
                break
        now = self._clock.now()
        while self._noted and self._noted[0] <= now:
            heapq.heappop(self._noted)
        if self._next <= now:
            self._next = now + self._interval
            self._next_but_one = self._next + self._interval

    async def _pause(self, seconds: float) -> bool:
        """Pause, and answer False if an earlier time was noted meanwhile."""
        self._sooner.clear()
        await self._clock.pause(seconds, self._sooner)
        return not self._sooner.is_set()
