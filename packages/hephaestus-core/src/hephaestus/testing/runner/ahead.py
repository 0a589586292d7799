"""A clock that a test puts forward, so that leases end when the test says, and not before."""

import asyncio
from datetime import datetime

from hephaestus.clock import SystemClock
from hephaestus.duration import Duration, parse

LONG = 3600
"""Seconds of a lease that ends where a clock is put forward; no machine is so busy."""

_OFTEN = 0.01


class AheadClock(SystemClock):
    """The system's clock, put forward; its apps do all the time what others do now and then.

    Args:
        by: How far it is ahead from the beginning.
    """

    def __init__(self, by: Duration = 0) -> None:
        self._by = parse(by, "by")

    def put_forward(self, by: Duration) -> None:
        """Be ahead by that much more."""
        self._by += parse(by, "by")

    def now(self) -> datetime:
        """Return the system's time and what it is ahead."""
        return super().now() + self._by

    async def pause(self, seconds: float, sooner: asyncio.Event | None = None) -> datetime:
        """Pause for a moment, however long it was to be."""
        return await super().pause(min(seconds, _OFTEN), sooner)
