"""Execution: computes every change of a run, writes it, and hands out what became ready."""

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from hephaestus import engine, registry
from hephaestus.clock import Clock
from hephaestus.engine import Advanced
from hephaestus.errors import (
    AlreadyRunning,
    InstanceNotFound,
    StaleInstance,
    StorageUnavailable,
    TransactionConflict,
)
from hephaestus.execution.body import execute, given_up, refused
from hephaestus.execution.keeper import Held, LeaseKeeper
from hephaestus.execution.moving import is_at, is_whole, moved, workflow_of
from hephaestus.execution.patience import FIRST_PAUSE, LONGEST_PAUSE, patiently
from hephaestus.execution.placed import Choice, Dispatcher, Placed
from hephaestus.execution.report import report
from hephaestus.execution.turns import Turn, Writes
from hephaestus.instance import Instance
from hephaestus.message import CancelRequested, Message, StepEnded
from hephaestus.outcome import Failed
from hephaestus.steps import Step
from hephaestus.storage import Change, Storage, Transaction
from hephaestus.telemetry import bus
from hephaestus.watch import Watch
from hephaestus.workflow import Workflow

_log = logging.getLogger("hephaestus.runner")
_REPEATS = 3
"""How often the transaction of a step is repeated when it meets another one."""


class Execution:
    """The part of a runner that is the same for all runners."""

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        keeper: LeaseKeeper,
        dispatcher: Dispatcher,
        watch: Watch,
        runner: str,
    ) -> None:
        self._watch = watch
        self._storage = storage
        self._clock = clock
        self._keeper = keeper
        self._dispatcher = dispatcher
        self._runner = runner
        self._turns: dict[str, Turn] = {}
        self._writes = Writes()
        self._commits = itertools.count()

    async def start(self, instance: Instance) -> None:
        """Store a new run, advanced to its first steps, and begin them.

        Raises:
            AlreadyRunning: An unfinished run holds its key.
            StorageUnavailable: Nothing is known of the run's fate.
        """
        workflow = registry.find(instance.workflow, instance.workflow_version)
        now = self._clock.now()
        advanced = engine.advance(instance, workflow, now)
        self._dispatcher.begin(
            await self._write(instance, workflow, advanced, now, self._storage.create)
        )

    async def work(
        self,
        instance: Instance,
        held: Held,
        *,
        closing: Callable[[], bool],
        over: Callable[[], None],
    ) -> Placed | None:
        """Execute a step that this process has leased, and make its outcome durable.

        Args:
            closing: Whether bodies are being cancelled; else a cancellation is the body's own.
            over: Called when the body has come to its end, whatever that is.

        Returns:
            What to do next in this task; None if the dispatcher was told.
        """
        ended: StepEnded | Placed | None
        try:
            try:
                workflow = registry.find(instance.workflow, instance.workflow_version)
                step = workflow.graph.steps.get(held.lease.step)
                if step is None:
                    ended = refused(workflow, instance, held.lease.step)
                elif step.transactional:
                    ended = await self._transact(instance, workflow, step, held, closing)
                else:
                    with held:
                        ended = await execute(
                            workflow, instance, step, self._storage.codec,
                            lambda: held.ended or closing(),
                        )  # fmt: skip
            finally:
                over()
            if isinstance(ended, StepEnded):
                ended = await self.deliver(workflow, instance, ended)
        except Exception:
            # Nobody delivers this outcome: let the lease run out, and another try.
            self._keeper.drop(held)
            raise
        self._keeper.drop(held)
        return ended

    async def deliver(
        self, workflow: type[Workflow], instance: Instance, ended: StepEnded
    ) -> Placed | None:
        """Make an outcome durable and advance the run; wait for the storage if it is away.

        The outcome of the only active step is committed at once, unless a result was not read, or
        the inbox keeps messages: the next step may wait for one. Any other outcome is posted, as
        a message, and whoever advances the run applies all that have come in.

        Returns:
            What to do next in this task; None if the dispatcher was told.
        """
        run_id = instance.run_id
        alone = len(instance.active) == 1 and not instance.kept and run_id not in self._turns
        if alone and is_whole(instance):
            try:
                return await self._deliver_alone(workflow, instance, ended)
            except StaleInstance:
                _log.debug("run %s was moved meanwhile; %r ends by the inbox", run_id, ended.step)
        message_id = f"{run_id}/{ended.step}/{ended.attempt}"
        message = Message(id=message_id, run_id=run_id, body=ended, dedup_key=message_id)
        try:
            await patiently(self._clock, lambda: self._storage.post(message))
        except InstanceNotFound:
            _log.info("run %s was deleted; the outcome of %r is dropped", run_id, ended.step)
            return None
        await self.advance(run_id)
        return None

    async def advance(self, run_id: str, *, due: datetime | None = None) -> None:
        """Apply what the run's inbox, leases and timers hold, and begin what became ready.

        Where another task of this process is at it, that task does it once more.

        Raises:
            InstanceNotFound: The run is gone.
            UnknownWorkflow: Its workflow is not defined in this process.
            StorageUnavailable: The run could not be loaded.
        """
        turn = self._turns.get(run_id)
        if turn is not None:
            turn.again = True
            await turn.over()
            return
        with Turn(self._turns, run_id) as turn:
            turn.again = True
            while turn.again:
                # What has come in together is taken together.
                await asyncio.sleep(0)
                turn.again = False
                await self._advance_once(run_id, due)
                due = None

    async def retry(self, run_id: str) -> None:
        """Take a failed run up again.

        Raises:
            NotRetryable: It is not failed.
            AlreadyRunning: Another run holds its key by now.
            UnknownWorkflow: Its workflow is not defined in this process.
        """
        while True:
            snapshot = await self._storage.load(run_id)
            before = snapshot.instance
            workflow = workflow_of(before)
            now = self._clock.now()
            advanced = engine.retry(before, workflow, now, inbox=snapshot.inbox)
            try:
                placed = await self._write(before, workflow, advanced, now, self._storage.commit)
            except StaleInstance:
                continue
            self._dispatcher.begin(placed)
            return

    async def idle(self) -> None:
        """Return when no write is under way."""
        await self._writes.over()

    async def _transact(
        self,
        instance: Instance,
        workflow: type[Workflow],
        step: Step,
        held: Held,
        closing: Callable[[], bool],
    ) -> StepEnded | Placed | None:
        """Execute a transactional step until it is durable, or somebody else's.

        Returns:
            A failure that is still to be delivered; else as `work`.
        """
        conflicts, pause = 0, FIRST_PAUSE
        while True:
            try:
                async with self._storage.transaction(instance.run_id) as transaction:
                    with held:
                        ended = await execute(
                            workflow, instance, step, self._storage.codec,
                            lambda: held.ended or closing(), transaction=transaction,
                        )  # fmt: skip
                    if isinstance(ended.outcome, Failed):
                        return ended
                    return await self._settle(transaction, ended)
            except InstanceNotFound:
                _log.info("run %s was deleted; %r is undone", instance.run_id, step.key)
                return None
            # Stale is what grants a lease that somebody has claimed since the load.
            except (TransactionConflict, StaleInstance) as error:
                conflicts += 1
                if conflicts > _REPEATS:
                    return given_up(instance, step.key, error)
            except StorageUnavailable as error:
                # It may be durable nevertheless, which the next transaction sees.
                _log.warning("%s; step %r of %s begins again", error, step.key, instance.id)
                await self._clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            if held.ended or not await self._is_open(held):
                return None

    async def _is_open(self, held: Held) -> bool:
        """Tell whether the attempt that was leased is still without an outcome."""
        lease = held.lease
        try:
            snapshot = await patiently(self._clock, lambda: self._storage.load(lease.run_id))
        except InstanceNotFound:
            return False
        return is_at(snapshot.instance, lease.step, lease.attempt)

    async def _settle(self, transaction: Transaction, ended: StepEnded) -> Placed | None:
        """Commit a step's effects with its outcome, or neither if its attempt is over."""
        asked = self._clock.now()
        snapshot = await transaction.load()
        before = snapshot.instance
        if not is_at(before, ended.step, ended.attempt):
            _log.info(
                "run %s has moved on; the effects of %r are undone", before.run_id, ended.step
            )
            return None
        # A cancel waits for the next advance: it would be the outcome that is dropped.
        inbox = tuple(m for m in snapshot.inbox if not isinstance(m.body, CancelRequested))
        snapshot = msgspec.structs.replace(snapshot, inbox=inbox)
        workflow, advanced = moved(snapshot, asked, ended)
        now = self._clock.now()
        return await self._write(before, workflow, advanced, now, transaction.commit)

    async def _deliver_alone(
        self, workflow: type[Workflow], instance: Instance, ended: StepEnded
    ) -> Placed | None:
        with Turn(self._turns, instance.run_id) as turn:
            now = self._clock.now()
            advanced = engine.advance(instance, workflow, now, happened=[ended])
            placed = await self._write(instance, workflow, advanced, now, self._persist)
        if turn.again:
            self._dispatcher.begin(placed)
            await self.advance(instance.run_id)
            return None
        return placed

    async def _advance_once(self, run_id: str, due: datetime | None = None) -> None:
        while True:
            asked = self._clock.now()
            snapshot = await self._storage.load(run_id)
            before = snapshot.instance
            workflow, advanced = moved(snapshot, asked, due=due)
            if not advanced.changed and not advanced.ready:
                return
            try:
                now = self._clock.now()
                placed = await self._write(before, workflow, advanced, now, self._storage.commit)
            except StaleInstance:
                due = None  # somebody has moved it since
            else:
                self._dispatcher.begin(placed)
                return

    async def _write(
        self,
        before: Instance,
        workflow: type[Workflow] | None,
        advanced: Advanced,
        now: datetime,
        verb: Callable[[Change], Awaitable[None]],
    ) -> Placed:
        started = time.perf_counter()
        choice = self._dispatcher.choose(advanced.instance, advanced.ready)
        change = self._change(advanced, now, choice)
        if not (advanced.changed or choice.leased or choice.sent):
            return Placed(instance=before, ready=advanced.ready, choice=choice)
        # By the time of the answer, this process may hold a later lease of the same attempt.
        ending = self._keeper.of(change.instance.run_id, advanced.ended)
        try:
            with self._writes:
                await verb(change)
        except BaseException as error:
            self._dispatcher.forget(choice)
            if not isinstance(error, StaleInstance | AlreadyRunning):
                # Nobody knows whether it was written, and nobody will execute what it leased.
                self._keeper.abandon(change.granted)
            raise
        self._keeper.lose(ending)
        instance = change.instance
        if instance.status != before.status or advanced.waits:
            self._watch.notify(instance)
        if bus.anyone():
            duration = time.perf_counter() - started
            report(before, advanced, workflow=workflow, duration=duration, runner=self._runner)
        return Placed(
            instance=instance,
            ready=advanced.ready,
            choice=choice,
            leases=change.granted,
            wake_at=change.wake_at,
        )

    def _change(self, advanced: Advanced, now: datetime, choice: Choice) -> Change:
        instance, leases = advanced.instance, []
        if choice.leased or choice.sent:
            until = {}
            for key in choice.leased:
                attempt = instance.active[key].attempt
                lease = self._keeper.lease(instance.run_id, key, attempt, now)
                leases.append(lease)
                until[key] = engine.leased_until(lease.until)
            for key in choice.sent:
                until[key] = engine.dispatch_until(instance.active[key].dispatches, now)
            instance = engine.hand_out(instance, until)
        return Change(
            instance=instance,
            token=f"{self._keeper.owner.incarnation}/{next(self._commits)}",
            results=tuple([transition.source for transition in advanced.transitions]),
            entries=advanced.entries,
            consumed=advanced.consumed,
            kept=tuple([message.id for message in advanced.kept if not message.seen]),
            ended=advanced.ended,
            freed=advanced.freed,
            granted=tuple(leases),
            wake_at=engine.wake_at(instance, advanced.kept),
        )

    async def _persist(self, change: Change) -> None:
        """Commit an outcome, which nothing but this task knows of."""
        try:
            await self._storage.commit(change)
        except StorageUnavailable:
            await patiently(self._clock, lambda: self._storage.commit(self._fresh(change)))

    def _fresh(self, change: Change) -> Change:
        """Return the change with leases of full length: the wait may have been longer."""
        now = self._clock.now()
        granted = [self._keeper.prolonged(lease, now) for lease in change.granted]
        return msgspec.structs.replace(change, granted=tuple(granted))
