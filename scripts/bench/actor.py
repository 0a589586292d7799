"""A process that plays a part in a measurement, and may be killed in it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.contract import Contender, Setting


class Actor:
    """One who plays a role."""

    def __init__(self, contender: Contender, setting: Setting, role: str, folder: Path) -> None:
        self.began = time.time()
        setting = replace(setting, folder=str(folder))
        words = [contender.job.name, contender.name, json.dumps(asdict(setting)), role]
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "bench.stage", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def next(self) -> dict[str, Any]:
        """Return what it tells next.

        Raises:
            EOFError: It has ended.
        """
        assert self._popen.stdout is not None  # noqa: S101 - it is a pipe
        line = self._popen.stdout.readline()
        if not line:
            raise EOFError(f"it ended with {self._popen.wait()}")
        message: dict[str, Any] = json.loads(line)
        return message

    def kill(self) -> None:
        """End it at once, as a power failure would."""
        assert self._popen.stdout is not None  # noqa: S101 - it is a pipe
        self._popen.kill()
        self._popen.wait()
        self._popen.stdout.close()

    def end(self, seconds: float = 60) -> None:
        """Wait until it has ended by itself."""
        self._popen.wait(timeout=seconds)


@contextmanager
def acting(contender: Contender, setting: Setting, role: str, folder: Path) -> Iterator[Actor]:
    """Give one who plays a role, and end it if it is still there afterwards."""
    actor = Actor(contender, setting, role, folder)
    try:
        yield actor
    finally:
        actor.kill()
