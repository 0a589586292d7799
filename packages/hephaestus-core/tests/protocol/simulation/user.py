"""Someone outside, who asks processes for things and asks again when he gets no answer."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from hephaestus.context import Context
from hephaestus.errors import (
    AlreadyRunning,
    InstanceFinished,
    InstanceNotFound,
    InvalidArgument,
    NotRetryable,
    StorageUnavailable,
)
from hephaestus.execution import cancel_message, pending
from hephaestus.instance import Instance
from hephaestus.key import unique_key
from hephaestus.runner import Runner
from hephaestus.storage import Storage
from hephaestus.workflow import Workflow
from protocol.simulation.monitor import Monitor
from protocol.simulation.roster import Program, Roster
from protocol.simulation.world import Died, World

_Ask = Callable[[Runner, Storage], Coroutine[Any, Any, Any]]


class User:
    """Starts one run, and sends it what it needs."""

    def __init__(self, world: World, monitor: Monitor, roster: Roster, number: int) -> None:
        self.dice = world.dice
        self.accepted: str | None = None
        """The run id that a start came back with."""

        self._world = world
        self._monitor = monitor
        self._roster = roster
        self._number = number
        self._count = 0

    async def start(self, workflow: type[Workflow], **initial: Any) -> str:
        """Return the id of a run that was accepted; try until one is."""
        while True:
            instance = self._instance(workflow, initial)
            try:
                await self._once(self._starting(instance))
            except AlreadyRunning as running:
                self.accepted = str(running.run_id)
                return self.accepted
            except (StorageUnavailable, Died):
                await self.wait(5)
            else:
                self.accepted = instance.run_id
                return self.accepted

    async def post(
        self,
        run_id: str,
        event: str | None,
        *,
        step: str | None = None,
        key: str | None = None,
        again: bool = True,
    ) -> bool:
        """Send an event until it is accepted; answer False if the run takes none any more."""
        self._count += 1
        payload = {"letter": f"{self._number}.{self._count}"}

        async def ask(runner: Runner, storage: Storage) -> None:
            instance = await storage.get(run_id, history=False)
            await runner.resume(instance, event, payload, step=step, dedup_key=key)

        while True:
            try:
                await self._once(ask)
            except (InstanceFinished, InstanceNotFound):
                return False
            except InvalidArgument:
                return False  # nothing is halted any more
            except (StorageUnavailable, Died):
                if not again:
                    return False
                await self.wait(5)
            else:
                return True

    async def schedule(self, run_id: str, step: str, delay: float) -> str | None:
        """Let a timeout come, once; answer its message id if it was accepted."""

        async def ask(runner: Runner, storage: Storage) -> str:
            return await runner.schedule_resume(run_id, step, delay)

        try:
            return str(await self._once(ask))
        except (StorageUnavailable, Died, InstanceFinished, InstanceNotFound):
            return None

    async def withdraw(self, message_id: str) -> None:
        """Take a message back, once."""

        async def ask(runner: Runner, storage: Storage) -> bool:
            return await runner.withdraw(message_id)

        with contextlib.suppress(StorageUnavailable, Died):
            await self._once(ask)

    async def cancel(self, run_id: str) -> None:
        """Stop a run; on return it has ended."""
        # As in a caller's transaction: whoever finds the run due applies it.
        only_posted = self.dice.random() < 0.2

        async def ask(runner: Runner, storage: Storage) -> None:
            instance = await storage.get(run_id, history=False)
            if only_posted:
                message = cancel_message(instance)
                self._monitor.runs[run_id].unhinted.add(message.id)
                await storage.post(message)
            elif not instance.is_finished:
                await runner.cancel(instance)

        asked = self._world.turn
        while not self.sees(run_id).is_finished:
            try:
                await self._once(ask)
            except InstanceNotFound:
                return
            except (StorageUnavailable, Died):
                await self.wait(5)
                continue
            if only_posted:
                await asyncio.sleep(30)
            # Someone may have taken a run up again that failed instead.
            elif not self.sees(run_id).is_finished and self._monitor.runs[run_id].ended < asked:
                self._world.fail(f"cancel of {run_id} returns before the run has ended")

    async def retry(self, run_id: str) -> None:
        """Take a failed run up again, once."""

        async def ask(runner: Runner, storage: Storage) -> None:
            await runner.retry(run_id)

        with contextlib.suppress(
            StorageUnavailable, Died, NotRetryable, AlreadyRunning, InstanceNotFound
        ):
            await self._once(ask)

    async def delete(self, run_id: str) -> None:
        """Delete a run, whatever it is doing."""

        async def ask(runner: Runner, storage: Storage) -> bool:
            return await storage.delete(run_id)

        while not self._monitor.runs[run_id].deleted:
            with contextlib.suppress(StorageUnavailable, Died):
                await self._once(ask)
            await self.wait(5)

    async def until(self, run_id: str, status: str = "") -> bool:
        """Return when the run has a status, retrying it when it fails; False if it ended else."""
        while True:
            seen = self.sees(run_id).status
            if self._monitor.runs[run_id].deleted:
                return False
            if seen == "failed":
                await self.retry(run_id)
            elif seen in (status, "completed", "cancelled"):
                return seen == status
            await asyncio.sleep(2)

    async def has_started(self) -> str:
        """Return the id of the accepted run, as soon as there is one."""
        while self.accepted is None:  # noqa: ASYNC110  # time is simulated
            await asyncio.sleep(1)
        return self.accepted

    async def wait(self, longest: float) -> None:
        """Let some time pass, or none."""
        await asyncio.sleep(self.dice.choice((0, 0, 0.5, 1)) * longest)

    def sees(self, run_id: str) -> Instance:
        """Return the run as it really is."""
        return self._monitor.runs[run_id].instance

    def _starting(self, instance: Instance) -> _Ask:
        """Return a start; now and then one that only stores, as in a caller's transaction."""
        only_stored = self.dice.random() < 0.2

        async def ask(runner: Runner, storage: Storage) -> None:
            if only_stored:
                await storage.create(pending(instance, self._world.clock.now()))
            else:
                await runner.start(instance)

        return ask

    async def _once(self, ask: _Ask) -> Any:
        program: Program = await self._roster.any_open()
        try:
            return await program.process.call(ask(program.runner, program.storage))
        except InstanceNotFound as error:
            if not self._monitor.runs[error.instance_id].deleted:
                self._world.fail(f"a run has vanished: {error}")
            raise

    def _instance(self, workflow: type[Workflow], initial: Mapping[str, Any]) -> Instance:
        self._count += 1
        unique = workflow.declared_unique()
        id = f"{unique.key}::{self._number}"
        return Instance(
            id=id,
            run_id=f"run-{self._number}.{self._count}",
            workflow=workflow.name,
            workflow_version=workflow.version,
            context=Context(initial=dict(initial)),
            created_at=self._world.clock.now(),
            unique_key=unique_key(unique, id, workflow.family, workflow.version),
        )
