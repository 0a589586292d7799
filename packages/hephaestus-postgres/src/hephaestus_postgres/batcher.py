"""Letting what arrives while a flight is under way travel together in the next."""

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from typing import Any, Generic, TypeVar

from asyncpg.exceptions import PostgresError

from hephaestus.errors import StorageUnavailable
from hephaestus_postgres.failures import NAME

_MOST = 256
_LARGEST = 4 * 1024 * 1024
_ALONE = 3
"""How many go alone at a time: each takes a connection, and may wait for a lock."""

_PATIENCE = 10.0
"""Seconds that a member waits until it may go alone."""

M = TypeVar("M")
R = TypeVar("R")


class Batcher(Generic[M, R]):
    """Sends members together, first in, first out; nobody waits while nothing is under way.

    Each member succeeds or fails alone: a flight that the database refuses is halved until the
    culprit is alone, and a member that a flight did not settle is sent by itself. A caller that
    is cancelled drops its member if that has not left; a flight is never cancelled.

    Args:
        fly: Sends members, and returns for each a result, an error, or None: it has to go alone.
        alone: Sends one member by itself, waiting for whom it must.
        size: About how many bytes a member takes.
        place: What only one member of a flight may have, if anything.
    """

    def __init__(
        self,
        fly: Callable[[Sequence[M]], Awaitable[Sequence[R | Exception | None]]],
        alone: Callable[[M], Awaitable[R]],
        *,
        size: Callable[[M], int] = lambda _: 1,
        place: Callable[[M], Hashable] = id,
    ) -> None:
        self._fly = fly
        self._alone = alone
        self._size = size
        self._place = place
        self._slots = asyncio.Semaphore(_ALONE)
        self._waiting: deque[tuple[M, asyncio.Future[R]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_flying = False

    async def send(self, member: M) -> R:
        """Return what became of a member."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((member, future))
        if not self._is_flying:
            self._is_flying = True
            self._spawn(self._run())
        return await future

    async def idle(self) -> None:
        """Return when nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._send(self._boarding())
        finally:
            self._is_flying = False

    def _boarding(self) -> list[tuple[M, asyncio.Future[R]]]:
        """Take the members of the next flight; what has to wait keeps its place."""
        boarded: list[tuple[M, asyncio.Future[R]]] = []
        left: list[tuple[M, asyncio.Future[R]]] = []
        places: set[Hashable] = set()
        size = 0
        while self._waiting and len(boarded) < _MOST:
            member, future = self._waiting.popleft()
            if future.done():
                continue
            place = self._place(member)
            if place in places:
                left.append((member, future))
                continue
            size += self._size(member)
            if boarded and size > _LARGEST:
                left.append((member, future))
                break
            places.add(place)
            boarded.append((member, future))
        self._waiting.extendleft(reversed(left))
        return boarded

    async def _send(self, boarded: Sequence[tuple[M, asyncio.Future[R]]]) -> None:
        if not boarded:
            return
        try:
            results = await self._fly([member for member, _ in boarded])
        except PostgresError:
            if len(boarded) == 1:
                self._spawn(self._send_alone(*boarded[0]))
                return
            middle = len(boarded) // 2
            await self._send(boarded[:middle])
            await self._send(boarded[middle:])
        except Exception as error:  # noqa: BLE001  # each caller hears of it
            for _, future in boarded:
                _fail(future, error)
        else:
            for (member, future), result in zip(boarded, results, strict=True):
                self._land(member, future, result)

    def _land(self, member: M, future: asyncio.Future[R], result: R | Exception | None) -> None:
        if result is None:
            self._spawn(self._send_alone(member, future))
        elif isinstance(result, Exception):
            _fail(future, result)
        elif not future.done():
            future.set_result(result)

    async def _send_alone(self, member: M, future: asyncio.Future[R]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._slots.acquire()
        except TimeoutError:
            _fail(future, StorageUnavailable(NAME, "too much waits for other transactions"))
            return
        try:
            if future.done():
                return
            result = await self._alone(member)
        except Exception as error:  # noqa: BLE001  # its caller hears of it
            _fail(future, error)
        else:
            if not future.done():
                future.set_result(result)
        finally:
            self._slots.release()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _fail(future: "asyncio.Future[R]", error: Exception) -> None:
    """Give each caller an error of its own: what is raised twice tells of both places."""
    if not future.done():
        own = copy.copy(error)
        own.__cause__ = error.__cause__
        future.set_exception(own)
