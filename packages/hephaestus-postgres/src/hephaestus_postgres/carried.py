"""Running a coroutine in the caller's task, which goes on without it if that is cancelled."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from types import coroutine
from typing import Any, TypeAlias, TypeVar

R = TypeVar("R")

_Awaited: TypeAlias = "asyncio.Future[Any] | None"
"""What a coroutine gives its task: a future, or nothing where it only lets others run."""


@coroutine
def carried(
    work: Coroutine[Any, Any, R], take_over: Callable[[Coroutine[Any, Any, R]], object]
) -> Generator[Any, Any, R]:
    """Return what the work returns; it takes no task of its own, which would be two turns more.

    What asks for the current task, as a timeout does, must not be part of the work: it may be
    another by the end.

    Args:
        take_over: Gets the rest of the work if the caller is cancelled.
    """
    try:
        awaited = work.send(None)
        while True:
            try:
                yield None if awaited is None else _Wait(awaited)
            except BaseException as error:  # the work's, but for one
                if isinstance(error, asyncio.CancelledError) and not _is_cancelled(awaited):
                    take_over(_rest(work, awaited))
                    raise
                awaited = work.throw(error)
            else:
                awaited = work.send(None)
    except StopIteration as end:
        result: R = end.value
        return result


async def _rest(work: Coroutine[Any, Any, R], awaited: _Awaited) -> R:
    return await _resumed(work, awaited)


@coroutine
def _resumed(work: Coroutine[Any, Any, R], awaited: _Awaited) -> Generator[Any, Any, R]:
    """Go on with work that awaits something, in the task that runs this."""
    try:
        while True:
            try:
                yield awaited
            except BaseException as error:  # noqa: BLE001  # the work's
                awaited = work.throw(error)
            else:
                awaited = work.send(None)
    except StopIteration as end:
        result: R = end.value
        return result


def _is_cancelled(awaited: _Awaited) -> bool:
    return awaited is not None and awaited.cancelled()


class _Wait:
    """What a task waits for instead of a future, so that its cancellation leaves that alone."""

    def __init__(self, awaited: "asyncio.Future[Any]") -> None:
        self._asyncio_future_blocking = True  # by this a task knows what it may wait for
        self._awaited = awaited

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop, as a future does."""
        return self._awaited.get_loop()

    def add_done_callback(
        self, wake: Callable[["asyncio.Future[Any]"], object], *, context: Context | None = None
    ) -> None:
        """Let the future wake the task."""
        self._wake, self._context = wake, context
        self._awaited.add_done_callback(wake, context=context)

    def cancel(self, msg: Any = None) -> bool:
        """Wake the task at once; the future goes on."""
        if self._awaited.done():
            return False
        self._awaited.remove_done_callback(self._wake)
        cancelled = self.get_loop().create_future()
        cancelled.add_done_callback(self._wake, context=self._context)
        return cancelled.cancel(msg)
