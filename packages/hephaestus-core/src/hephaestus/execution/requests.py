"""What callers ask of a run, made durable; the same whoever executes its steps."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hephaestus import duration
from hephaestus.clock import Clock
from hephaestus.duration import Duration
from hephaestus.execution.loop import Execution
from hephaestus.execution.messages import cancel_message, event_message, pending
from hephaestus.instance import Instance
from hephaestus.message import Message
from hephaestus.storage import Storage

Hint: TypeAlias = Callable[[Instance, Message | None], object]


class Requests:
    """Starts, events and cancels. What is only posted waits for somebody to advance the run.

    Args:
        hint: Tells somebody that a run has news: a message, or that it is to begin. `due` would
            find it as well.
    """

    def __init__(
        self,
        execution: Execution,
        storage: Storage,
        clock: Clock,
        *,
        hint: Hint,
    ) -> None:
        self._hint = hint
        self._execution = execution
        self._storage = storage
        self._clock = clock

    async def start(self, instance: Instance, *, session: object = None) -> None:
        """Store a new run and begin it; in the caller's transaction, only store it.

        Raises:
            AlreadyRunning: An unfinished run holds its key.
        """
        if session is None:
            await self._execution.start(instance)
        else:
            await self._storage.create(pending(instance, self._clock.now()), session=session)
            self._storage.when_committed(session, lambda: self._hint(instance, None))

    async def post_event(
        self,
        instance: Instance,
        event: str | None,
        payload: Mapping[str, Any] | None,
        *,
        step: str | None = None,
        dedup_key: str | None = None,
        session: object = None,
    ) -> Message:
        """Bind an event to a step of the run, and keep it.

        Raises:
            InstanceFinished: The run is completed or cancelled.
            UnknownEvent: No step takes the event.
            AmbiguousEvent: Several steps could.
        """
        message = event_message(
            instance, event, payload, codec=self._storage.codec, step=step, dedup_key=dedup_key
        )
        await self._storage.post(message, session=session)
        if session is None:
            self._hint(instance, message)
        else:
            self._storage.when_committed(session, lambda: self._hint(instance, message))
        return message

    async def post_timeout(self, run_id: str, step: str, delay: Duration) -> Message:
        """Keep the event `timeout` for a step, not to be applied before a delay is over."""
        at = self._clock.now() + duration.positive(delay, "delay=")
        snapshot = await self._storage.load(run_id)
        message = event_message(
            snapshot.instance, "timeout", None, codec=self._storage.codec, step=step, not_before=at
        )
        await self._storage.post(message)
        return message

    async def cancel(self, instance: Instance, *, session: object = None) -> None:
        """Stop a run; on return it has ended, or will with the caller's transaction."""
        message = cancel_message(instance)
        await self._storage.post(message, session=session)
        if session is not None:
            self._storage.when_committed(session, lambda: self._hint(instance, message))
            return
        # At least once, so that a cancel that came too late does not stay in the inbox.
        while True:
            await self._execution.advance(message.run_id)
            snapshot = await self._storage.load(message.run_id)
            if snapshot.instance.is_finished:
                return
            if all(other.id != message.id for other in snapshot.inbox):
                # The run failed and was taken up again, which drops a cancel of before.
                message = cancel_message(instance)
                await self._storage.post(message)
