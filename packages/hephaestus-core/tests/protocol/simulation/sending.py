"""The runner that sends steps to workers through the broker."""

import asyncio
import secrets
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from hephaestus import registry, running
from hephaestus.clock import Clock
from hephaestus.duration import Duration, parse
from hephaestus.errors import HephaestusError, StorageUnavailable
from hephaestus.execution import (
    Choice,
    Execution,
    Held,
    LeaseKeeper,
    Placed,
    cancel_message,
    event_message,
)
from hephaestus.instance import Instance
from hephaestus.runner import OpenableApp
from hephaestus.running import RunningApp
from hephaestus.storage import Lease, Owner, Storage
from hephaestus.watch import Watch
from protocol.simulation.broker import Broker, Order
from protocol.simulation.world import Process

_LEASE = timedelta(seconds=15)
_POLL = 5.0
_EXECUTORS = 2
_HAND_OVER = timedelta(seconds=10)


class SendingRunner:
    """Sends steps to a broker and executes what it receives, as a runner of workers does.

    Now and then it leases a step at once, as a worker that goes on with a run, or leaves one to
    whoever finds it due.
    """

    name: ClassVar[str] = "broker"

    def __init__(
        self, broker: Broker, process: Process, *, worker: str | None, grace: float
    ) -> None:
        self._grace = grace
        self.watch = Watch()
        self._broker = broker
        self._process = process
        self._dice = process.world.dice
        self._worker = worker
        self._closing = self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()

    def attach(self, app: OpenableApp) -> None:
        """Do nothing."""

    async def open(self, app: RunningApp, storage: Storage, clock: Clock) -> None:
        """Begin to look for due runs, and to execute what the broker hands out."""
        owner = Owner(incarnation=secrets.token_hex(8), name=self._worker)
        await storage.adopt(owner, clock.now())
        self._app = app
        self._storage = storage
        self._clock = clock
        self._keeper = LeaseKeeper(storage, clock, owner, _LEASE)
        self._execution = Execution(
            storage=storage,
            clock=clock,
            keeper=self._keeper,
            dispatcher=self,
            watch=self.watch,
            runner=self.name,
        )
        self._renewing = asyncio.create_task(self._keeper.run())
        self._looking = [asyncio.create_task(self._look())]
        self._looking += [asyncio.create_task(self._receive()) for _ in range(_EXECUTORS)]

    async def close(self) -> None:
        """Stop, and give back what is leased."""
        self._closing = True
        await _stop(self._looking)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._grace)
        self._stopping = True
        await _stop(list(self._tasks))
        await _stop([self._renewing])
        await self._execution.idle()
        try:
            await self._keeper.release()
        except StorageUnavailable:
            self._process.world.note(self._process, "could not give back its leases")

    async def start(self, instance: Instance, *, session: object = None) -> None:
        """Store a new run and begin it."""
        await self._execution.start(instance)

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
        """Post an event; whoever finds the run due applies it."""
        message = event_message(
            instance, event, payload, codec=self._storage.codec, step=step, dedup_key=dedup_key
        )
        await self._storage.post(message)

    async def schedule_resume(self, run_id: str, step: str, delay: Duration) -> str:
        """Post a timeout that is not to be applied before its time."""
        at = self._clock.now() + parse(delay, "delay=")
        instance = (await self._storage.load(run_id)).instance
        message = event_message(
            instance, "timeout", None, codec=self._storage.codec, step=step, not_before=at
        )
        await self._storage.post(message)
        return message.id

    async def withdraw(self, message_id: str) -> bool:
        """Take a message back."""
        return await self._storage.withdraw(message_id)

    async def cancel(self, instance: Instance, *, session: object = None) -> None:
        """Post a cancel, and advance the run until it has ended."""
        message = cancel_message(instance)
        await self._storage.post(message)
        while True:
            await self._execution.advance(message.run_id)
            snapshot = await self._storage.load(message.run_id)
            if snapshot.instance.is_finished:
                return
            if all(other.id != message.id for other in snapshot.inbox):
                message = cancel_message(instance)
                await self._storage.post(message)

    async def retry(self, run_id: str) -> None:
        """Take a failed run up again."""
        await self._execution.retry(run_id)

    def choose(self, instance: Instance, ready: tuple[str, ...]) -> Choice:
        """Send most steps, lease some, leave a few."""
        fates = {key: self._dice.random() for key in ready}
        return Choice(
            leased=tuple(k for k, fate in fates.items() if fate < 0.25 and not self._closing),
            sent=tuple(k for k, fate in fates.items() if 0.25 <= fate < 0.9),
        )

    def forget(self, choice: Choice) -> None:
        """Do nothing: there are no seats to free."""

    def begin(self, placed: Placed) -> None:
        """Execute what is leased, send what is to be sent."""
        self._send(placed)
        self._take_up(placed.instance, placed.leases)

    def _take_up(self, instance: Instance, leases: Sequence[Lease]) -> None:
        for lease in leases:
            held = self._keeper.hold(lease)
            if not self._stopping:
                _ = self._spawn(self._line(instance, held))

    def _send(self, placed: Placed) -> None:
        for key in placed.choice.sent:
            attempt = placed.instance.active[key].attempt
            instance = placed.instance
            self._broker.send(
                Order(instance.run_id, key, attempt, instance.workflow, instance.workflow_version)
            )

    async def _receive(self) -> None:
        while True:
            order = await self._broker.receive(self._process)
            await asyncio.wait({self._spawn(self._execute(order))})
            self._broker.confirm(self._process, order)

    async def _execute(self, order: Order) -> None:
        now = self._clock.now()
        lease = self._keeper.lease(order.run_id, order.step, order.attempt, now)
        try:
            graph = registry.find(order.workflow, order.version).graph
            seen = graph.ancestors.get(order.step, ())
            claimed = await self._storage.claim(lease, now, results=seen)
        except StorageUnavailable:
            await self._clock.sleep(_POLL)
            self._broker.send(order)
            return
        if claimed is not None:
            await self._line(claimed, self._keeper.hold(lease))

    async def _line(self, instance: Instance, held: Held) -> None:
        running.bind(self._app)
        while not held.ended:
            placed = await self._execution.work(
                instance, held, closing=lambda: self._stopping, over=lambda: None
            )
            if placed is None:
                return
            self._send(placed)
            if not placed.leases:
                return
            instance, held = placed.instance, self._keeper.hold(placed.leases[0])
            self._take_up(instance, placed.leases[1:])

    async def _look(self) -> None:
        while True:
            await self._clock.sleep(_POLL)
            try:
                runs = await self._storage.due(
                    self._clock.now(), 20, registry.known(self._app.name), hand_over=_HAND_OVER
                )
            except StorageUnavailable:
                continue
            await asyncio.gather(*(self._advance(run_id) for run_id in runs))

    async def _advance(self, run_id: str) -> None:
        try:
            await self._execution.advance(run_id)
        except HephaestusError as error:
            self._process.world.note(self._process, "cannot advance", run_id, error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._process.world.note(self._process, "a step ends with", repr(task.exception()))


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
