"""A process that measures, as seen by those who started it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.contract import Contender, Setting

_ERROR = re.compile(r"[A-Za-z_][\w.]*: ")
"""What a line begins with that ends a traceback."""

SCRIPTS = Path(__file__).resolve().parents[1]


class Failed(Exception):
    """A measurement ended without a result."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return self.why


class Child:
    """One measurement that is under way, with all the processes that it starts."""

    def __init__(
        self, contender: Contender, setting: Setting, python: Path, *, seconds: float
    ) -> None:
        self._seconds = seconds
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        command = ["-m", "bench.measure", contender.job.name, contender.name]
        self._popen = subprocess.Popen(
            [python, *command, json.dumps(asdict(setting))],
            env=_environ(is_ours=contender.environment is None),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
            start_new_session=True,
        )
        self._is_late = False
        self._alarm = threading.Timer(seconds, self._give_up)
        self._alarm.start()

    def next(self) -> dict[str, Any]:
        """Return its next message: a mark or its outcome.

        Raises:
            Failed: It ended without one.
        """
        assert self._popen.stdout is not None  # noqa: S101 - it is a pipe
        line = self._popen.stdout.readline()
        if not line:
            raise Failed(self._why())
        message: dict[str, Any] = json.loads(line)
        return message

    def go(self) -> None:
        """Let it go on after a mark."""
        assert self._popen.stdin is not None  # noqa: S101 - it is a pipe
        with suppress(BrokenPipeError):
            self._popen.stdin.write("go\n")
            self._popen.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._alarm.cancel()
        if kind is None:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(timeout=20)
        self._kill()
        self._popen.communicate()
        self._log.close()

    def _give_up(self) -> None:
        self._is_late = True
        self._kill()

    def _kill(self) -> None:
        """End it, and what it started and left."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def _why(self) -> str:
        self._popen.wait()
        if self._is_late:
            return f"it was not done after {self._seconds:.0f} s"
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in lines if _ERROR.match(line)]
        return (errors or lines or [f"it ended with {self._popen.returncode}"])[-1]


def _environ(*, is_ours: bool) -> Mapping[str, str]:
    """Return the variables of a measurement: a peer sees nothing of this project but the bench."""
    paths = [str(SCRIPTS)]
    if is_ours:
        paths += [path for path in sys.path if path and path != str(SCRIPTS)]
    # Nobody phones home while somebody else is measured.
    quiet = {"DO_NOT_TRACK": "1", "LANGSMITH_TRACING": "false"}
    # Nor does anybody compile what was compiled when it was used for the first time.
    shared = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**shared, "PYTHONPATH": os.pathsep.join(paths), **quiet}
