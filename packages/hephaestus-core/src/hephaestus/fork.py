"""What a forked process must not inherit as it was in the parent."""

import os
import threading
from collections.abc import Callable
from weakref import WeakSet


def in_child(act: Callable[[], object]) -> None:
    """Call something first in each process that is forked from this one, if the system forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=act)


class Lock:
    """A reentrant lock, free in a forked process: who holds it in the parent is not there."""

    def __init__(self) -> None:
        self.renew()
        _locks.add(self)

    def renew(self) -> None:
        """Let go, whoever holds it."""
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self._lock.release()


_locks: "WeakSet[Lock]" = WeakSet()


def _renew_all() -> None:
    for lock in _locks:
        lock.renew()


in_child(_renew_all)
