"""Waiting for a storage that is away."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hephaestus.clock import Clock
from hephaestus.errors import StorageUnavailable

_log = logging.getLogger("hephaestus.runner")
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

T = TypeVar("T")


async def patiently(clock: Clock, verb: Callable[[], Awaitable[T]]) -> T:
    """Repeat a verb while the storage is away, after pauses that double; every verb may be."""
    pause = FIRST_PAUSE
    while True:
        try:
            return await verb()
        except StorageUnavailable as error:
            _log.warning("%s; trying again in %.1f s", error, pause)
        await clock.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
