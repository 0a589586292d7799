"""What callers ask of a run, made durable; the same whoever executes its steps."""

from collections.abc import Mapping
from typing import Any

from hephaestus import duration
from hephaestus.clock import Clock
from hephaestus.duration import Duration
from hephaestus.execution.loop import Execution
from hephaestus.execution.messages import cancel_message, event_message, pending
from hephaestus.instance import Instance
from hephaestus.message import Message
from hephaestus.storage import Storage


class RunnerVerbs:
    """The verbs of a runner by which callers ask something of a run; a runner inherits them.

    What is only posted waits for somebody to advance the run.
    """

    def _serve(self, execution: Execution, storage: Storage, clock: Clock) -> None:
        """Take requests for the runs of a storage from now on."""
        self._execution = execution
        self._storage = storage
        self._clock = clock

    def _hint(self, instance: Instance, message: Message | None) -> None:
        """Tell somebody that a run has news; `due` would find it as well.

        Args:
            instance: The run as it was asked for.
            message: The news; None where the run is to begin.
        """

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

    async def resume(
        self,
        instance: Instance,
        event: str | None,
        payload: Mapping[str, Any] | None,
        *,
        step: str | None = None,
        dedup_key: str | None = None,
        session: object = None,
    ) -> None:
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

    async def schedule_resume(self, run_id: str, step: str, delay: Duration) -> str:
        """Keep the event `timeout` for a step, not to be applied before a delay is over.

        Returns:
            A message id, which `withdraw` takes.
        """
        at = self._clock.now() + duration.positive(delay, "delay=")
        instance = (await self._storage.load(run_id)).instance
        message = event_message(
            instance, "timeout", None, codec=self._storage.codec, step=step, not_before=at
        )
        await self._storage.post(message)
        self._hint(instance, message)
        return message.id

    async def withdraw(self, message_id: str) -> bool:
        """Take a scheduled event back; answer False if it has arrived."""
        return await self._storage.withdraw(message_id)

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

    async def retry(self, run_id: str) -> None:
        """Take a failed run up again.

        Raises:
            NotRetryable: It is not failed.
            AlreadyRunning: Another run holds its key by now.
        """
        await self._execution.retry(run_id)
