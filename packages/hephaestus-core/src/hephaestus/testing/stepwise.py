"""Executing one run a step at a time, in memory, on a clock that jumps to what comes next."""

import asyncio
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hephaestus import engine
from hephaestus.errors import InvalidArgument
from hephaestus.execution import Choice, Execution, LeaseKeeper, Placed
from hephaestus.execution.body import execute
from hephaestus.instance import ActiveStep, Instance
from hephaestus.memory import MemoryStorage
from hephaestus.message import Message
from hephaestus.outcome import Outcome
from hephaestus.steps import Step, StepContext
from hephaestus.storage import Lease, Owner
from hephaestus.testing.clock import VirtualClock
from hephaestus.watch import Watch
from hephaestus.workflow import Workflow

_LEASE = timedelta(days=36_500)
"""How long a lease lasts: a body may move the clock, to pretend that it takes its time."""


class Attempt(NamedTuple):
    """One execution of a step's body."""

    step: str
    number: int
    """From 1, as `ctx.attempt`."""

    ctx: StepContext
    """What the body was given."""

    outcome: Outcome
    at: datetime


class Stepwise:
    """Drives one run; each verb returns it once it has ended or waits for the outside."""

    def __init__(
        self,
        workflow: type[Workflow],
        steps: Mapping[str, Step],
        clock: VirtualClock,
        *,
        concurrent: bool,
    ) -> None:
        self.attempts: list[Attempt] = []
        self._workflow = workflow
        self._steps = steps
        self._clock = clock
        self._concurrent = concurrent
        self._run_id = ""
        self._storage = MemoryStorage()
        self._ready = _Ready()
        self._execution = Execution(
            storage=self._storage,
            clock=clock,
            keeper=LeaseKeeper(self._storage, clock, Owner(incarnation="harness"), _LEASE),
            dispatcher=self._ready,
            watch=Watch(),
            runner="harness",
        )

    async def start(self, instance: Instance) -> Instance:
        """Start the run."""
        self._run_id = instance.run_id
        await self._execution.start(instance)
        return await self.go_on()

    async def get(self) -> Instance:
        """Return the run with its history.

        Raises:
            InvalidArgument: It was not started.
        """
        if not self._run_id:
            raise InvalidArgument("nothing runs in this harness yet; call run first")
        return await self._storage.get(self._run_id)

    async def post(self, message: Message) -> Instance:
        """Give the run a message."""
        await self._storage.post(message)
        await self._execution.advance(self._run_id)
        return await self.go_on()

    async def retry(self) -> Instance:
        """Take the failed run up again."""
        await self.get()
        await self._execution.retry(self._run_id)
        return await self.go_on()

    async def go_on(self, until: datetime | None = None) -> Instance:
        """Execute what is ready, and jump to what comes next.

        Args:
            until: The time up to which timers fire, even if an event could come first.
        """
        task = asyncio.current_task()
        assert task is not None, "a test runs in a task"
        while True:
            while leases := self._ready.take(None if self._concurrent else 1):
                await asyncio.gather(*(self._execute(lease, task) for lease in leases))
            instance = await self.get()
            at = self._next_time(instance, until)
            if at is None:
                return instance
            await self._clock.advance(max(at - self._clock.now(), timedelta()))
            await self._execution.advance(self._run_id)

    async def _execute(self, lease: Lease, test: "asyncio.Task[Any]") -> None:
        instance = await self.get()
        record = instance.active.get(lease.step)
        if record is None:
            return  # the run has failed meanwhile
        step, at = self._steps[lease.step], self._clock.now()
        ctx = engine.step_context(self._workflow, instance, lease.step, record)
        ended = await execute(
            self._workflow, instance, step, self._storage.codec, lambda: test.cancelling() > 0
        )
        self.attempts.append(Attempt(step.key, record.attempt, ctx, ended.outcome, at))
        placed = await self._execution.deliver(self._workflow, instance, ended)
        if placed is not None:
            self._ready.begin(placed)

    def _next_time(self, instance: Instance, until: datetime | None) -> datetime | None:
        """Return when the run goes on by itself; None if that is for the test to decide."""
        times = [
            (step.deadline, key)
            for key, step in instance.active.items()
            if step.deadline is not None
        ]
        if not times:
            return None
        at, key = min(times)
        if until is not None and at <= until:
            return at
        is_retry = instance.active[key].state == "ready"
        waits = any(self._waits_outside(key, step) for key, step in instance.active.items())
        return at if is_retry or not waits else None

    def _waits_outside(self, key: str, step: ActiveStep) -> bool:
        only_timer = set(self._steps[key].events) == {"timeout"}
        return step.state == "halted" or (step.state == "waiting" and not only_timer)


class _Ready:
    """Leases every step that is ready, and keeps it until its turn comes."""

    def __init__(self) -> None:
        self._leases: deque[Lease] = deque()

    def choose(self, instance: Instance, ready: tuple[str, ...]) -> Choice:  # noqa: ARG002  # it takes what comes
        """Lease them all."""
        return Choice(leased=ready)

    def forget(self, choice: Choice) -> None:
        """Do nothing: a choice takes nothing."""

    def begin(self, placed: Placed) -> None:
        """Keep what was leased."""
        self._leases.extend(placed.leases)

    def take(self, most: int | None) -> list[Lease]:
        """Return whose turn it is."""
        count = len(self._leases) if most is None else min(most, len(self._leases))
        return [self._leases.popleft() for _ in range(count)]
