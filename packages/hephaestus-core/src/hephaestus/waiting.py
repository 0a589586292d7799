"""Waiting for a run to be where somebody wants it."""

import time
from collections.abc import Callable, Collection

from hephaestus import duration, engine
from hephaestus.clock import Clock
from hephaestus.duration import Duration
from hephaestus.errors import WaitTimeout
from hephaestus.instance import Instance, Status
from hephaestus.standstill import reasons
from hephaestus.storage import Storage
from hephaestus.watch import Watch

_LONGEST_LOOK = 1.0
"""Seconds between two looks at a run that another process may finish, once it has taken long."""


class Waiting:
    """Waits for runs of one app.

    Args:
        check: Raises when the app has closed.
    """

    def __init__(
        self, storage: Storage, watch: Watch, clock: Clock, check: Callable[[], None]
    ) -> None:
        self._storage = storage
        self._watch = watch
        self._clock = clock
        self._check = check

    async def reach(
        self,
        id: str,
        wanted: Collection[Status],
        timeout: Duration | None,  # noqa: ASYNC109  # the waiting, not a step, ends
        *,
        workflow: object,
        version: int | None,
        history: bool,
    ) -> Instance:
        """Return the run once it stands in one of the statuses, the ends among them.

        Args:
            timeout: Real time, whatever the app's clock.
            history: Whether the run needs its history; without, it may be shared with others.

        Raises:
            WaitTimeout: The time passed first.
        """
        limit = None if timeout is None else duration.parse(timeout, "timeout").total_seconds()
        started = time.monotonic()
        look = self._watch.first_look
        with self._watch.watching(id) as watching:
            news = None
            # A run that this process carries needs no look: its next change is heard first.
            filtered = (workflow, version) != (None, None)
            if not filtered and "running" not in wanted and self._watch.carries(id):
                news = await watching.changed(look if limit is None else min(look, limit))
                self._check()
            instance = await self._seen(id, news, history, workflow, version)
            while instance.status not in wanted or await self._goes_on(instance):
                left, look = look, min(2 * look, _LONGEST_LOOK)
                if limit is not None:
                    left = min(left, limit - (time.monotonic() - started))
                    if left <= 0:
                        raise await self._out_of_time(instance.run_id, limit)
                news = await watching.changed(left)
                self._check()
                instance = await self._seen(instance.run_id, news, history)
        if history and not instance.execution_history:
            return await self._storage.get(instance.run_id)
        return instance

    async def _seen(
        self,
        id: str,
        news: Instance | None,
        history: bool,
        workflow: object = None,
        version: int | None = None,
    ) -> Instance:
        """Return the run; without news of a change it is read without its history."""
        if news is not None and not history and news.run_id == id and news.is_finished:
            return news
        return await self._storage.get(
            id, workflow=workflow, version=version, history=history and news is not None
        )

    async def _out_of_time(self, run_id: str, limit: float) -> WaitTimeout:
        """Return the error of a wait, which says why the run is not there yet."""
        instance = await self._storage.get(run_id)
        snapshot = await self._storage.load(run_id)
        why = "; ".join(reasons(instance, snapshot, self._clock.now()))
        return WaitTimeout(instance.id, instance.status, limit, why or None)

    async def _goes_on(self, instance: Instance) -> bool:
        """Tell whether a run that stands still was answered, or has moved since it was read."""
        if instance.status not in ("waiting", "halted"):
            return False
        snapshot = await self._storage.load(instance.run_id)
        return snapshot.instance.revision != instance.revision or engine.goes_on(
            instance, snapshot.inbox, self._clock.now()
        )
