"""Looking for due runs, and advancing them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from hephaestus import registry
from hephaestus.clock import Clock
from hephaestus.errors import HephaestusError, InstanceNotFound
from hephaestus.execution.alarm import Alarm
from hephaestus.execution.loop import Execution
from hephaestus.storage import Storage

_log = logging.getLogger("hephaestus.runner")
_LONGEST_HAND_OVER = timedelta(seconds=10)
_MOST_TOLD = 10_000
"""How many runs that cannot be advanced are remembered, so that the log does not repeat it."""

_SILENCE = timedelta(hours=1)
"""How long the log is silent about a run before it repeats a warning."""


class Lookout:
    """Advances what is due: it looks regularly, and at the times that are noted in between.

    Args:
        app: The name of the app; workflows that are pinned to another are left to that one.
        poll: How often to look.
        limit: Says how many runs to take at a time.
        hand_over: Says how long what is taken is hidden from others.
        spawn: Makes a task, and looks after it.
    """

    def __init__(
        self,
        execution: Execution,
        storage: Storage,
        clock: Clock,
        *,
        app: str,
        poll: timedelta,
        limit: Callable[[], int],
        hand_over: Callable[[], timedelta],
        spawn: "Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]",
    ) -> None:
        self._execution = execution
        self._storage = storage
        self._clock = clock
        self._app = app
        self._poll = poll
        self._limit = limit
        self._hand_over = hand_over
        self._spawn = spawn
        self._alarm = Alarm(clock, poll)
        self._closed = False
        self._told: dict[str, tuple[str, datetime]] = {}
        self.note = self._alarm.note
        """Look at that time as well, if it is near."""

    def close(self) -> None:
        """Let `run` end soon."""
        self._closed = True
        self._alarm.now()

    async def run(self) -> None:
        """Take what is due, until closed."""
        while True:
            await self._alarm.ring()
            if self._closed:
                return
            limit = self._limit()
            now = self._clock.now()
            try:
                runs = await self._storage.due(
                    now,
                    limit,
                    registry.known(self._app),
                    hand_over=min(_LONGEST_HAND_OVER, self._hand_over()),
                )
            except HephaestusError as error:
                _log.warning("cannot look for due runs: %s", error)
                continue
            except Exception:  # noqa: BLE001  # timers and retries hang on this loop
                _log.exception("cannot look for due runs")
                continue
            if runs:
                # One that takes long goes on by itself: timers and retries do not wait for it.
                advancing = [self._spawn(self.advance(run_id, due=now)) for run_id in runs]
                await asyncio.wait(advancing, timeout=self._poll.total_seconds())
            if len(runs) == limit:
                self._alarm.now()

    async def advance(self, run_id: str, *, due: datetime | None = None) -> None:
        """Advance a run, and say in the log why it cannot be."""
        try:
            await self._execution.advance(run_id, due=due)
        except InstanceNotFound:
            _log.debug("run %s is gone", run_id)
            self._told.pop(run_id, None)
        except Exception as error:  # noqa: BLE001  # one run must not keep the others
            self._tell(run_id, error)
        else:
            self._told.pop(run_id, None)

    def _tell(self, run_id: str, error: Exception) -> None:
        """Warn of a run that cannot be advanced; it stays due, and is met again and again."""
        reason, now = repr(error), self._clock.now()
        told, since = self._told.get(run_id, ("", now))
        known = told == reason and now - since < _SILENCE
        if not known:
            if len(self._told) >= _MOST_TOLD:
                self._told.clear()
            self._told[run_id] = reason, now
        level = logging.DEBUG if known else logging.WARNING
        traceback = None if isinstance(error, HephaestusError) else error
        _log.log(level, "run %s could not be advanced: %s", run_id, error, exc_info=traceback)
