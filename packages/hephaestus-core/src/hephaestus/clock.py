"""The clock contract, and the system's clock."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Protocol


class Clock(Protocol):
    """Tells the time and sleeps; an app asks it instead of the system.

    A clock of your own best derives from `SystemClock`, and says `now` and `sleep`. The other
    verbs are for one that jumps, as a test's does over the three days that a run waits.
    """

    def now(self) -> datetime:
        """Return the current time, aware and in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds of this clock."""
        ...

    async def pause(self, seconds: float, sooner: asyncio.Event | None = None) -> datetime:
        """Return after about that many seconds, or when `sooner` is set.

        For loops that look after something regularly: a clock that jumps does not stop for
        them, and ends every pause before a jump and after it.

        Returns:
            The time that the clock is about to reach; for one that does not jump, now.
        """
        ...

    def expect(self, at: datetime) -> None:
        """Hear of a time at which something will be due; a clock that jumps stops there."""
        ...

    def attend(self, work: "asyncio.Task[Any]") -> None:
        """Hear of work that has begun; a clock that jumps lets it come to rest first."""
        ...


class SystemClock:
    """The system's clock and the event loop's timers."""

    def now(self) -> datetime:
        """Return the system's time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Sleep on the event loop."""
        await asyncio.sleep(seconds)

    async def pause(self, seconds: float, sooner: asyncio.Event | None = None) -> datetime:
        """Sleep, unless `sooner` is set first, and return the time then."""
        if sooner is None:
            await self.sleep(seconds)
            return self.now()
        waiting = {
            asyncio.ensure_future(self.sleep(seconds)),
            asyncio.ensure_future(_until(sooner)),
        }
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
        return self.now()

    def expect(self, at: datetime) -> None:
        """Do nothing: this clock stops everywhere."""

    def attend(self, work: "asyncio.Task[Any]") -> None:
        """Do nothing: this clock waits for nobody."""


async def _until(event: asyncio.Event) -> None:
    await event.wait()
