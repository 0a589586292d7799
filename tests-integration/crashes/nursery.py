"""A process from which workers fork: it has imported all that they need, so a birth is cheap.

Each line that it reads is an order, and each line that it writes the answer. It ends with its
input, and its workers with it.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from crashes.setting import Setting


class Launch(msgspec.Struct, tag=True):
    """Begin a worker; the answer is its process."""

    setting: Setting


class End(msgspec.Struct, tag=True):
    """Kill a worker; the answer comes when it is gone, and is the time of its end."""

    pid: int


class Look(msgspec.Struct, tag=True):
    """Tell how a worker has ended; None if it lives."""

    pid: int


Order = Launch | End | Look


class Nursery:
    """The process, as the test sees it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "crashes.nursery"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(_path())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def launch(self, setting: Setting) -> int:
        """Begin a worker, and return its process."""
        return int(self._ask(Launch(setting)))

    def kill(self, pid: int) -> None:
        """Kill a worker, and return when it is gone."""
        self._ask(End(pid))

    def look(self, pid: int) -> int | None:
        """Return how a worker has ended, or None while it lives."""
        status: int | None = self._ask(Look(pid))
        return status

    def close(self) -> None:
        """End all workers."""
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, order: Order) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline())


def _path() -> list[str]:
    """Return where Python finds this package and all that it imports."""
    here = Path(__file__).resolve().parent.parent
    return [str(here), *(entry for entry in sys.path if entry)]


def serve() -> None:
    """Follow orders until there are no more."""
    import crashes.worker  # noqa: F401  # so that no worker has to

    living: set[int] = set()
    for line in sys.stdin.buffer:
        match msgspec.json.decode(line, type=Order):
            case Launch(setting):
                pid = _fork(setting)
                living.add(pid)
                answer: int | None = pid
            case End(pid):
                answer = _end(pid) if pid in living else None
                living.discard(pid)
            case Look(pid):
                answer = _look(pid) if pid in living else -1
                if answer is not None:
                    living.discard(pid)
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()
    for pid in living:
        _end(pid)


def _fork(setting: Setting) -> int:
    from crashes.worker import work

    pid = os.fork()
    if pid:
        return pid
    try:
        # The orders and the answers are the parent's.
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        work(setting)
    finally:
        os._exit(1)


def _end(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return int(time.time())


def _look(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    serve()
