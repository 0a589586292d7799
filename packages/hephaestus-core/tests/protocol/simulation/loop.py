"""An event loop with a virtual clock, whose tasks live in hosts that stall and die."""

import asyncio
import contextvars
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

from hephaestus.clock import SystemClock

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")
_EPOCH = datetime(2030, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
_LONGEST_DRAIN = 20_000


class Host:
    """What tasks live in: where it is dead they never go on, where it is stalled they wait."""

    def __init__(self) -> None:
        self.alive = True
        self.stalled = False
        self.held: list[asyncio.Handle] = []


HOST: contextvars.ContextVar[Host | None] = contextvars.ContextVar("host", default=None)
"""The host of the running task; None outside all hosts."""


class _Task(asyncio.Task[Any]):
    """A task whose place in a set is the same in each run."""

    def __init__(
        self,
        work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        serial: int,
        context: contextvars.Context,
        **options: Any,
    ) -> None:
        self._serial = serial
        self._work = work
        self._own_context = context
        super().__init__(work, context=context, **options)

    def __hash__(self) -> int:
        return self._serial

    def throw_away(self) -> None:
        """End it although it is not over."""
        self._log_destroy_pending = False
        with suppress(RuntimeError):
            self._own_context.run(self._work.close)


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs what is ready, first in, first out; time passes only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self._microseconds = 0
        self._queue: deque[tuple[asyncio.Handle, Host | None]] = deque()
        self._timers: list[tuple[int, int, asyncio.TimerHandle, Host | None]] = []
        self._count = 0
        self._tasks: list[_Task] = []
        self._errors: list[BaseException | None] = []

    # What asyncio asks of a loop

    def time(self) -> float:
        return self._microseconds / _SECOND

    def call_soon(
        self,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        context = contextvars.copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self, context)
        self._queue.append((handle, context.get(HOST)))
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        context = contextvars.copy_context() if context is None else context
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        place = (round(when * _SECOND), self._count, handle, context.get(HOST))
        heapq.heappush(self._timers, place)
        return handle

    def create_task(
        self,
        coro: Generator[Any, None, _Result] | Coroutine[Any, Any, _Result],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
        **options: Any,
    ) -> asyncio.Task[_Result]:
        context = contextvars.copy_context() if context is None else context
        task = _Task(coro, len(self._tasks), context, loop=self, name=name, **options)
        self._tasks.append(task)
        return task

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self._errors.append(context.get("exception"))

    # What the simulation does with it

    @contextmanager
    def running(self) -> Iterator[None]:
        """Make this the running loop; at the end throw away what did not end by itself."""
        asyncio._set_running_loop(self)
        try:
            yield
        finally:
            self._throw_away()
            asyncio._set_running_loop(None)
            self.close()

    def drain(self) -> bool:
        """Run until nothing is ready; answer False if that does not come."""
        queue = self._queue
        for _ in range(_LONGEST_DRAIN):
            if not queue:
                return True
            handle, host = queue.popleft()
            if handle.cancelled():
                continue
            if host is None or (host.alive and not host.stalled):
                handle._run()
            elif host.alive:
                host.held.append(handle)
        return False

    def skip(self) -> bool:
        """Let time pass up to the next timer; answer False if there is none."""
        timers = self._timers
        while timers and (timers[0][2].cancelled() or not _lives(timers[0][3])):
            heapq.heappop(timers)
        if not timers:
            return False
        self._microseconds = max(self._microseconds, timers[0][0])
        while timers and timers[0][0] <= self._microseconds:
            _, _, handle, host = heapq.heappop(timers)
            self._queue.append((handle, host))
        return True

    def errors(self) -> list[BaseException]:
        """Return what ended tasks and callbacks."""
        ended = [task.exception() for task in self._tasks if task.done() and not task.cancelled()]
        return [error for error in (*ended, *self._errors) if error is not None]

    def thaw(self, host: Host) -> None:
        """Let a stalled host go on."""
        host.stalled = False
        self._queue.extend((handle, host) for handle in host.held)
        host.held.clear()

    def _throw_away(self) -> None:
        for task in self._tasks:
            if not task.done():
                task.throw_away()
        self._queue.clear()
        self._timers.clear()


class SimulatedClock(SystemClock):
    """The time of a simulated loop."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return _EPOCH + timedelta(microseconds=round(self._loop.time() * _SECOND))


def _lives(host: Host | None) -> bool:
    return host is None or host.alive
