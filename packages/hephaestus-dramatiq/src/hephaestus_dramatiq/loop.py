"""Event loops and the threads of a Dramatiq worker."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from hephaestus_dramatiq.failures import NotOpen

T = TypeVar("T")
_LOOK = 5.0
"""Seconds after which a thread that waits looks whether there is still something to wait for."""


class LoopThread:
    """An event loop in a thread of its own, for a process in which nobody else runs one."""

    def __init__(self, name: str) -> None:
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._ready = threading.Event()

    def start(self) -> None:
        """Begin; on return the loop runs."""
        self._thread.start()
        self._ready.wait()

    def run(self, work: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        """Run a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """Cancel what still runs, and end the thread."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._until_over())

    async def _until_over(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._ready.set()
        await self._over.wait()


class Call:
    """Work on an event loop that a thread waits for."""

    __slots__ = ("_error", "_is_over", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._is_over = False
        self._error: Exception | None = None

    def end(self, error: Exception | None = None) -> None:
        """Let the thread go on, with an error if there is one; on the loop, once or more."""
        if not self._is_over:
            self._is_over = True
            self._error = error
            self._lock.release()

    def wait(self, loop: asyncio.AbstractEventLoop) -> None:
        """Return when the work is over, or raise what it ended with; in the thread.

        Raises:
            NotOpen: The loop has closed, and nobody will end the work.
        """
        while not self._lock.acquire(timeout=_LOOK):
            if loop.is_closed():
                raise NotOpen
        if self._error is not None:
            raise self._error
