"""LocalRunner: steps are tasks of this event loop, plain functions run in threads."""

import asyncio
import logging
import secrets
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from hephaestus import duration, registry, running
from hephaestus.clock import Clock
from hephaestus.duration import Duration
from hephaestus.errors import InvalidArgument, StorageUnavailable
from hephaestus.execution import (
    Choice,
    Execution,
    Held,
    LeaseKeeper,
    Lookout,
    Placed,
    RunnerVerbs,
    log_failure,
    stop,
)
from hephaestus.instance import Instance
from hephaestus.local.backlog import Backlog, Ready
from hephaestus.message import Message
from hephaestus.runner import OpenableApp
from hephaestus.running import RunningApp
from hephaestus.storage import Lease, Owner, Storage
from hephaestus.watch import Watch

_log = logging.getLogger("hephaestus.runner")
_LOOK = timedelta(milliseconds=10)
"""What another look at a ready step may cost while there is no room for it."""

_AT_LEAST = 20
"""How many due runs are taken even when no step can begin: timers and cancels need no room."""


class LocalRunner(RunnerVerbs):
    """Executes steps in this process.

    On a durable storage several processes share the work: each takes what is due, at its start
    and then regularly.

    Args:
        concurrency: How many steps execute at the same time.
        lease: How long a step stays with a process that shows no life, before another takes it.
        poll: How often to look for due runs.
        grace: How long `close` lets running steps end, before it gives them back.
        name: The same at each start of one worker; then it takes over at once what its earlier
            self left, instead of waiting for the leases to end.

    Raises:
        InvalidArgument: A number is not positive.
    """

    name: ClassVar[str] = "local"

    def __init__(
        self,
        *,
        concurrency: int = 100,
        lease: Duration = 15,
        poll: Duration = 1,
        grace: Duration = 10,
        name: str | None = None,
    ) -> None:
        if type(concurrency) is not int or concurrency < 1:
            raise InvalidArgument(f"concurrency= is a whole number from 1, not {concurrency!r}")
        self._concurrency = concurrency
        self._lease = duration.positive(lease, "lease=")
        self._poll = duration.positive(poll, "poll=")
        self._grace = duration.parse(grace, "grace=")
        self._worker = name
        self.watch = Watch()
        self._is_open = False

    def attach(self, app: OpenableApp) -> None:
        """Do nothing: whoever made the app opens it."""

    async def open(self, app: RunningApp, storage: Storage, clock: Clock) -> None:
        """Begin to execute what is due on the storage."""
        if self._is_open:
            raise InvalidArgument("this LocalRunner serves an app already; give each app its own")
        self._is_open = True
        owner = Owner(incarnation=secrets.token_hex(8), name=self._worker)
        try:
            await storage.adopt(owner, clock.now())
        except BaseException:
            self._is_open = False
            raise
        self._app = app
        self._free = self._concurrency
        self._closing = self._stopping = False
        self._backlog = Backlog()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper = LeaseKeeper(storage, clock, owner, self._lease)
        self.watch.carries = self._keeper.carries
        execution = Execution(
            storage=storage,
            clock=clock,
            keeper=self._keeper,
            dispatcher=self,
            watch=self.watch,
            runner=self.name,
        )
        self._serve(execution, storage, clock)
        self._lookout = Lookout(
            execution, storage, clock,
            app=app.name, poll=self._poll,
            limit=self._limit, hand_over=self._hand_over, spawn=self._tracked,
        )  # fmt: skip
        self._renewing = asyncio.create_task(self._keeper.run(), name="hephaestus-leases")
        self._looking = asyncio.create_task(self._lookout.run(), name="hephaestus-due")

    async def close(self) -> None:
        """Let running steps end within the grace period, and give back the others at once."""
        self._closing = True
        self._lookout.close()
        under_way = {self._looking, *self._tasks}
        try:
            await asyncio.wait(under_way, timeout=self._grace.total_seconds())
        finally:
            # Cancelling the close cuts the grace period short, and nothing else.
            await self._give_up()

    async def _give_up(self) -> None:
        self._stopping = True
        await stop(self._looking, *self._tasks)
        await stop(self._renewing)
        await self._execution.idle()
        try:
            await self._keeper.release()
        except StorageUnavailable as error:
            _log.warning("leases could not be given back and will expire: %s", error)
        self._is_open = False

    def _hint(self, instance: Instance, message: Message | None) -> None:
        """Advance the run, at once or when its message may be applied."""
        if message is not None and message.not_before is not None:
            self._lookout.note(message.not_before)
        elif self._is_open:
            self._spawn(self._lookout.advance(instance.run_id))

    def choose(self, instance: Instance, ready: tuple[str, ...]) -> Choice:
        """Lease as many steps as there is room for."""
        count = min(self._free, len(ready))
        if count and (self._closing or not self._is_ours(instance)):
            count = 0
        self._free -= count
        return Choice(leased=ready[:count])

    def forget(self, choice: Choice) -> None:
        """Free the room again."""
        self._free += len(choice.leased)
        self._fill()

    def begin(self, placed: Placed) -> None:
        """Execute what was leased, each step in a task of its own."""
        self._note(placed)
        self._take_up(placed.instance, placed.leases)

    def _take_up(self, instance: Instance, leases: Sequence[Lease]) -> None:
        for lease in leases:
            # Held before its task begins, which sees if the lease has ended by then.
            held = self._keeper.hold(lease, sole=len(instance.active) == 1)
            if self._stopping:
                self._free += 1  # a start that overlapped the close, which gives the lease back
            else:
                self._spawn(self._line(instance, held))

    def _note(self, placed: Placed) -> None:
        """Remember what there was no room for, and when to look again."""
        instance = placed.instance
        for lease in placed.leases:
            self._backlog.drop(lease.run_id, lease.step)
        if len(placed.leases) < len(placed.ready) and self._is_ours(instance):
            graph = registry.find(instance.workflow, instance.workflow_version).graph
            for key in placed.ready[len(placed.leases) :]:
                attempt = instance.active[key].attempt
                # It may have been claimed here while the others were written.
                if not self._keeper.holds(instance.run_id, key, attempt):
                    self._backlog.add(Ready(instance.run_id, key, attempt, graph.ancestors[key]))
            # Room that was lacking when they were chosen may have come while they were written.
            self._fill()
        if len(placed.leases) == len(placed.ready):
            # Else it is due now for want of room, and a look would hide it from who has some.
            self._lookout.note(placed.wake_at)

    def _is_ours(self, instance: Instance) -> bool:
        return registry.is_known(self._app.name, instance.workflow, instance.workflow_version)

    async def _line(self, instance: Instance, held: Held) -> None:
        """Execute a step, and then the next one of its run, as long as there is one."""
        running.bind(self._app)
        while not held.ended:
            placed = await self._execution.work(
                instance, held, closing=self._is_stopping, over=self._make_room
            )
            if placed is None:
                return
            self._note(placed)
            if not placed.leases:
                return
            instance = placed.instance
            held = self._keeper.hold(placed.leases[0], sole=len(instance.active) == 1)
            if len(placed.leases) > 1:
                self._take_up(instance, placed.leases[1:])
        self._make_room()

    def _make_room(self) -> None:
        self._free += 1

    def _is_stopping(self) -> bool:
        """Tell whether bodies are being cancelled: by a close, or by who ends the event loop."""
        return self._stopping or self._looking.done() or self._looking.cancelling() > 0

    def _fill(self) -> None:
        """Claim steps from the backlog for the room there is."""
        while self._free and self._backlog and not self._closing:
            self._free -= 1
            self._spawn(self._claim(self._backlog.pop()))

    async def _claim(self, ready: Ready) -> None:
        claimed = None
        try:
            claimed = await self._keeper.claim(
                ready.run_id, ready.step, ready.attempt, results=ready.results
            )
        finally:
            if claimed is None:
                self._free += 1
        if claimed is not None:
            self._backlog.drop(ready.run_id, ready.step)
            await self._line(*claimed)

    def _limit(self) -> int:
        return max(self._free, _AT_LEAST)

    def _hand_over(self) -> timedelta:
        """Return how long what is due is hidden from others.

        Where there is no room it is short, so that those who have some see the steps that are
        ready; but it grows with their number, so that looking at them again stays cheap.
        """
        if self._free:
            return self._lease
        return min(self._lease, max(self._poll / 2, _LOOK * len(self._backlog)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        _ = self._tracked(work)

    def _tracked(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._clock.attend(task)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not isinstance(log_failure(task), StorageUnavailable):
            self._fill()
