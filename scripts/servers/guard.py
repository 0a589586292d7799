"""A process that outlives us, however we end, and then ends what is left of our servers."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from servers.family import descendants, is_alive, kill

PATIENCE = 10.0
"""For how many seconds a server may write what it has."""


class Guard:
    """Knows what is to be ended: it reads that, line by line, until we say goodbye or are gone."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._popen = subprocess.Popen(
            [sys.executable, "-S", "-m", "servers.guard"],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )

    def watch(self, what: int | Path) -> None:
        """End this process, or remove this folder, when we are gone."""
        self._say(f"watch {what}")

    def forget(self, what: int | Path) -> None:
        """Leave this process or folder alone: it is gone, and another may get its name."""
        self._say(f"forget {what}")

    def dismiss(self) -> None:
        """Let it end what is left, even where a fork of us still holds the end of its pipe."""
        if os.getpid() == self._owner:
            self._say("goodbye")
            self._popen.communicate()

    def _say(self, line: str) -> None:
        assert self._popen.stdin is not None  # noqa: S101 - it is a pipe
        with suppress(BrokenPipeError):  # servers do their work without it
            self._popen.stdin.write(f"{line}\n".encode())


@cache
def guard() -> Guard:
    """Return the guard of this process."""
    one = Guard()
    atexit.register(one.dismiss)
    return one


def keep_watch(lines: Iterable[str]) -> None:
    """Follow what is watched, and end all of it with the last line."""
    watched: dict[str, None] = {}
    for line in lines:
        word, _, what = line.rstrip("\n").partition(" ")
        match word:
            case "watch":
                watched[what] = None
            case "forget":
                watched.pop(what, None)
            case _:
                break
    _end([int(what) for what in watched if what.isdigit()])
    for what in watched:
        if not what.isdigit():
            shutil.rmtree(what, ignore_errors=True)


def _end(pids: list[int]) -> None:
    family = [*pids, *(child for pid in pids for child in descendants(pid))]
    for pid in filter(is_alive, pids):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while any(map(is_alive, family)):
        if time.monotonic() > deadline:
            for pid in family:
                kill(pid)
        time.sleep(0.05)


if __name__ == "__main__":
    keep_watch(sys.stdin)
