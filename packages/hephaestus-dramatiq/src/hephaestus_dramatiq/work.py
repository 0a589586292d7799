"""What a worker does on its event loop: it executes steps, each on the seat of a message."""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

from hephaestus import registry, running
from hephaestus.clock import Clock
from hephaestus.errors import (
    InstanceNotFound,
    StorageUnavailable,
    UnknownWorkflow,
)
from hephaestus.execution import Execution, Held, LeaseKeeper, Lookout, log_failure, stop
from hephaestus.instance import Instance
from hephaestus.running import RunningApp
from hephaestus.storage import Lease, Owner, Storage
from hephaestus.watch import Watch
from hephaestus_dramatiq.dispatch import Dispatch
from hephaestus_dramatiq.envelopes import Envelopes
from hephaestus_dramatiq.failures import Closing, NotOpen
from hephaestus_dramatiq.lines import needs_thread
from hephaestus_dramatiq.loop import Call
from hephaestus_dramatiq.messages import About, ExecuteStep
from hephaestus_dramatiq.routes import Routes
from hephaestus_dramatiq.seats import Room, Seat
from hephaestus_dramatiq.sender import Sender

_log = logging.getLogger("hephaestus.runner")
_AT_ONCE = 100
"""How many due runs are taken in one look."""

_PAUSE = 1.0
"""Seconds between two attempts to begin, while the storage is away."""


class Work:
    """Executes what the threads of a Dramatiq worker have received, and looks for what is due.

    Without such a worker in the process nothing is executed here: what is ready is sent.
    """

    def __init__(
        self,
        *,
        app: RunningApp,
        storage: Storage,
        clock: Clock,
        watch: Watch,
        owner: Owner,
        lease: timedelta,
        poll: timedelta,
        envelopes: Envelopes,
        routes: Routes,
        sender: Sender,
        runner: str,
    ) -> None:
        self._app = app
        self._storage = storage
        self._clock = clock
        self._lease = lease
        self._poll = poll
        self._envelopes = envelopes
        self._sender = sender
        self._keeper = LeaseKeeper(storage, clock, owner, lease)
        self._dispatch = Dispatch(
            app=app.name,
            envelopes=envelopes,
            routes=routes,
            sender=sender,
            take_up=self._take_up,
            note=self.note,
        )
        self.execution = Execution(
            storage=storage,
            clock=clock,
            keeper=self._keeper,
            dispatcher=self._dispatch,
            watch=watch,
            runner=runner,
        )
        self._calls: dict[asyncio.Task[None], Call] = {}
        self._bodies: dict[asyncio.Task[None], Instance] = {}
        self._advances: set[asyncio.Task[None]] = set()
        self._lookout: Lookout | None = None
        self._closing = self._stopping = self._is_closed = False
        self._draining = asyncio.Lock()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way, and no thread waits."""
        return not (self._calls or self._advances or self._bodies or self._dispatch.seats)

    @property
    def is_closing(self) -> bool:
        """Whether nothing more begins here."""
        return self._closing

    def begin(self, spare: int) -> None:
        """Look for due runs and renew leases, from now on; a Dramatiq worker is there.

        Args:
            spare: How many runs may be under way beside those on the worker's threads.
        """
        if self._lookout is not None or self._is_closed:
            return
        self._closing = self._stopping = False
        self._room = Room(spare)
        self._lookout = Lookout(
            self.execution,
            self._storage,
            self._clock,
            app=self._app.name,
            poll=self._poll,
            limit=lambda: _AT_ONCE,
            hand_over=lambda: self._lease,
            spawn=self._spawn_advance,
        )
        looking = self._look(self._lookout)
        self._looking = asyncio.create_task(looking, name="hephaestus-due")
        self._renewing = asyncio.create_task(self._keeper.run(), name="hephaestus-leases")

    def receive_step(self, order: ExecuteStep, seat: Seat) -> None:
        """Execute a step and what follows it, as long as the thread has time."""
        if self._accepts(seat):
            self._spawn(self._serve(order, seat), seat)

    def receive_hint(self, order: About, call: Call) -> None:
        """Advance a run."""
        if self._accepts(call):
            self._spawn(self._attend(order, call), call)

    def note(self, at: datetime | None) -> None:
        """Look for due runs at that time as well, if it is near."""
        if self._lookout is not None:
            self._lookout.note(at)

    async def drain(self, grace: timedelta) -> None:
        """Let running steps end within the grace period, and give back the others at once."""
        async with self._draining:
            if self._lookout is None:
                return
            self._closing = True
            self._lookout.close()
            under_way = {self._looking, *self._calls, *self._advances}
            try:
                await asyncio.wait(under_way, timeout=grace.total_seconds())
            finally:
                # Cancelling the drain cuts the grace period short, and nothing else.
                await self._give_up()

    async def close(self, grace: timedelta) -> None:
        """Drain, and begin no more."""
        self._is_closed = True
        await self.drain(grace)

    async def _give_up(self) -> None:
        self._stopping = True
        given_back = list(self._bodies.values())
        calls = dict(self._calls)
        await stop(self._looking, *calls, *self._advances)
        for call in calls.values():
            call.end()
        await stop(self._renewing)
        await self.execution.idle()
        self._lookout = None
        try:
            await self._keeper.release()
        except StorageUnavailable as error:
            _log.warning("leases could not be given back and will expire: %s", error)
            return
        for instance in given_back:
            self._sender.send(self._envelopes.advance(instance))

    async def _look(self, lookout: Lookout) -> None:
        while True:
            try:
                await self._storage.adopt(self._keeper.owner, self._clock.now())
                break
            except StorageUnavailable as error:
                _log.warning("%s; trying again in %.0f s", error, _PAUSE)
            await self._clock.sleep(_PAUSE)
        await lookout.run()

    def _accepts(self, call: Call) -> bool:
        """Tell whether more work can begin; else send the thread away."""
        if self._lookout is None:
            call.end(NotOpen())
        elif self._closing:
            call.end(Closing())
        return self._lookout is not None and not self._closing

    async def _attend(self, order: About, call: Call) -> None:
        try:
            self._workflow_of(order)
            await self.execution.advance(order.run_id)
        except InstanceNotFound:
            _log.debug("run %s is gone", order.run_id)
        except Exception as error:  # noqa: BLE001  # the thread raises it
            call.end(error)
        call.end()

    async def _serve(self, order: ExecuteStep, seat: Seat) -> None:
        try:
            seen = self._workflow_of(order).graph.ancestors.get(order.step, ())
            claimed = await self._keeper.claim(
                order.run_id, order.step, order.attempt, results=seen
            )
        except Exception as error:  # noqa: BLE001  # the thread raises it
            seat.end(error)
            return
        if claimed is None:
            seat.end()
        else:
            await self._line(*claimed, seat)

    def _workflow_of(self, order: About) -> type[Any]:
        """Return the workflow of a message, if this app is one that executes it."""
        workflow = registry.find(order.workflow, order.version)
        if not registry.is_known(self._app.name, order.workflow, order.version):
            raise UnknownWorkflow(order.workflow, order.version)
        return workflow

    async def _line(self, instance: Instance, held: Held, seat: Seat) -> None:
        """Execute a step, and then the next one of its run, as long as there is one."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine runs in a task
        running.bind(self._app)
        seat.sit(task)
        try:
            while not held.ended:
                self._bodies[task] = instance
                self._spare_thread(instance, held, seat)
                placed = await self.execution.work(
                    instance, held, closing=self._is_stopping, over=lambda: self._leave_off(seat)
                )
                if placed is None:
                    return
                own = None
                for lease, other in self._dispatch.send(placed):
                    if other is seat:
                        own = lease
                    else:
                        self._take_up(placed.instance, lease, other)
                if own is None:
                    return
                seat.sit(task)
                instance, held = placed.instance, self._keeper.hold(own)
        finally:
            self._bodies.pop(task, None)
            self._dispatch.seats.leave(seat, task)

    def _spare_thread(self, instance: Instance, held: Held, seat: Seat) -> None:
        """Let the thread go where none is needed: the lease keeps the step, not the message."""
        try:
            workflow = registry.find(instance.workflow, instance.workflow_version)
        except UnknownWorkflow:
            return  # whoever executes the step will say so
        if not needs_thread(workflow.graph, held.lease.step):
            self._room.enter(seat)

    def _take_up(self, instance: Instance, lease: Lease, seat: Seat) -> None:
        # Held before its task begins, which sees if the lease has ended by then.
        held = self._keeper.hold(lease)
        if self._stopping:
            seat.end()  # a commit that overlapped the end, which gives the lease back
        else:
            self._spawn(self._line(instance, held, seat), seat)

    def _leave_off(self, seat: Seat) -> None:
        """Let the run's next step have the seat, as long as there may be a next step here."""
        if self._closing:
            seat.end()
        else:
            self._dispatch.seats.offer(seat)

    def _is_stopping(self) -> bool:
        return self._stopping

    def _spawn(self, work: Coroutine[Any, Any, None], call: Call) -> None:
        task = asyncio.create_task(work)
        self._calls[task] = call
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[None]") -> None:
        del self._calls[task]
        _ = log_failure(task)

    def _spawn_advance(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._advances.add(task)
        task.add_done_callback(self._advances.discard)
        return task
