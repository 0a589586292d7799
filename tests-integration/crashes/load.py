"""The load: runs are started, told what happens outside, and awaited."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from crashes import flows
from hephaestus import Hephaestus, InstanceFinished, Workflow
from hephaestus.errors import StorageUnavailable

_UNFINISHED = ("pending", "running", "waiting", "halted")
_SHARE_OF_IDLE = 20
"""One in so many runs waits for ever."""

_AT_ONCE = 50
_GLANCE = 0.1

T = TypeVar("T")


class Load:
    """Starts runs of some workflows and plays the outside for each of them.

    Args:
        seconds: Over how long the starts are spread.
    """

    def __init__(self, app: Hephaestus, chance: random.Random, *, seconds: float) -> None:
        self._app = app
        self._chance = chance
        self._seconds = seconds

    async def run(self, kinds: Sequence[type[Workflow]], runs: int) -> None:
        """Start so many runs, and return when all events are posted."""
        mixed = [kind for kind in kinds if kind is not flows.Idle]
        crowd = asyncio.Semaphore(_AT_ONCE)
        began = time.monotonic()

        async def live(number: int, kind: type[Workflow]) -> None:
            async with crowd:
                await self._live(kind, number)

        async with asyncio.TaskGroup() as group:
            for number in range(runs):
                is_idle = number % _SHARE_OF_IDLE == 0 and flows.Idle in kinds
                kind = flows.Idle if is_idle else mixed[number % len(mixed)]
                group.create_task(live(number, kind))
                await asyncio.sleep(began + self._seconds * number / runs - time.monotonic())

    async def is_over(self, patience: float) -> bool:
        """Wait until nothing but what idles is unfinished; False if it goes on no more."""
        last, since = -1, time.monotonic()
        while time.monotonic() - since < patience:
            left = await _insist(self._unfinished)
            if left == 0:
                return True
            if left != last:
                last, since = left, time.monotonic()
            await asyncio.sleep(_GLANCE)
        return False

    async def _unfinished(self) -> int:
        count = self._app.count
        idle = await count(workflow=flows.Idle, status="waiting")
        return await count(status_in=_UNFINISHED) - idle

    async def _live(self, kind: type[Workflow], number: int) -> None:
        run_id = await _insist(lambda: flows.start(kind, number))
        if kind is flows.Letters:
            words = ["first", "second", "third"] * 2
            self._chance.shuffle(words)
            for word in words:
                await self._tell(run_id, word, number, dedup_key=word)
        elif kind is flows.Gate:
            for which in (1, 2, 3):
                await self._tell(run_id, "opened", which, dedup_key=f"opened {which}")
        elif kind is flows.Asking:
            for _ in range(2):
                await self._tell(run_id, "approved", number, dedup_key="approved")
        elif kind is flows.Cancelled:
            await asyncio.sleep(self._chance.uniform(0, 0.3))
            with suppress(InstanceFinished):
                await _insist(lambda: self._app.cancel(run_id))

    async def _tell(self, run_id: str, event: str, number: int, *, dedup_key: str) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.1))
        payload = {"number": number}
        with suppress(InstanceFinished):
            await _insist(lambda: self._app.resume(run_id, event, payload, dedup_key=dedup_key))


async def _insist(verb: Callable[[], Awaitable[T]]) -> T:
    """Repeat a verb until the storage is there; every verb may be repeated."""
    while True:
        try:
            return await verb()
        except StorageUnavailable:
            await asyncio.sleep(_GLANCE)
