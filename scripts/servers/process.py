"""One program that runs beside us until we end it."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from servers.account import Account
from servers.family import descendants, is_alive, kill
from servers.guard import guard


class DidNotStart(RuntimeError):
    """A server ended, or was not ready in time; the end of its log says why."""

    def __init__(self, command: str, log: str) -> None:
        super().__init__(command, log)
        self.command = command
        self.log = log

    def __str__(self) -> str:
        return f"{self.command} did not start; its log ends with:\n{self.log}"


class Process:
    """A program without a terminal, in a session of its own: Ctrl-C is for us, not for it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        account: Account | None,
        folder: Path,
        log: Path,
        environ: Mapping[str, str],
    ) -> None:
        self._log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account.user if account else None,
                group=account.group if account else None,
                extra_groups=[] if account else None,
            )
        guard().watch(self.pid)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.pid

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float) -> None:
        """Return when it is ready.

        Raises:
            DidNotStart: It ended, or the time did.
        """
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self._popen.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise DidNotStart(str(self._popen.args), self._log.read_text("utf-8")[-4000:])
            time.sleep(0.01)

    def wait_for_success(self, *, seconds: float) -> None:
        """Return when it has ended, and ended well.

        Raises:
            DidNotStart: It failed, or the time ended.
        """
        self.wait_until(lambda: self._popen.poll() == 0, seconds=seconds)
        guard().forget(self.pid)

    def stop(self, how: signal.Signals, *, seconds: float = 30) -> None:
        """Ask it to end, and end it at once where it does not."""
        self._popen.send_signal(how)
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        guard().forget(self.pid)

    def kill(self) -> None:
        """End it and all that it began, at once; it is held first so that it cannot react."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGSTOP)
            family = descendants(self.pid)
            for pid in family:
                kill(pid)
            self._popen.kill()
            self._popen.wait()
            while any(map(is_alive, family)):
                time.sleep(0.001)
        guard().forget(self.pid)
