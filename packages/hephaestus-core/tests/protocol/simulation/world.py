"""The world that processes live in: what may happen next is drawn, and written down."""

import asyncio
import contextvars
import random
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from protocol.simulation.loop import HOST, Host, SimulatedClock, SimulatedLoop
from protocol.simulation.weather import CALM, Weather

T = TypeVar("T")
_MOST_TURNS = 50_000
_FOR_EVER = sys.maxsize


class Violation(AssertionError):
    """The protocol broke a promise."""


class Died(Exception):
    """The process that was to do something died over it."""


class Process(Host):
    """One incarnation of a program that runs steps."""

    def __init__(self, world: "World", label: str) -> None:
        super().__init__()
        self.label = label
        self.open = False
        self.closing = False
        self.cut = False
        self.disturbed = -1
        """When something last went wrong with it, in turns of the world."""

        self.waiting = 0
        """How many verbs of it have not been answered."""

        self.hints = True
        """Whether it advances a run that it sent an event to."""

        self.ended: asyncio.Future[None] = world.loop.create_future()
        self.world = world

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a task that dies with the process."""
        context = contextvars.copy_context()
        context.run(HOST.set, self)
        return self.world.loop.create_task(work, context=context)

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what comes of work in the process.

        Raises:
            Died: The process did, first.
        """
        task = self.spawn(work)
        either: set[asyncio.Future[Any]] = {task, self.ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Died(self.label)
        return task.result()

    def disturb(self, how: str) -> None:
        """Remember that something went wrong with the process."""
        self.disturbed = max(self.disturbed, self.world.turn)
        self.world.note(self, how)

    def is_calm_since(self, turn: int) -> bool:
        """Return whether nothing has gone wrong with it since a turn of the world."""
        if self.stalled or self.cut or self.world.outage:
            return False
        return max(self.disturbed, self.world.disturbed) < turn

    def die(self) -> None:
        """End at once: nothing of it goes on."""
        if self.alive:
            self.disturb("dies")
            self.disturbed = _FOR_EVER
            self.leave()

    def leave(self) -> None:
        """End, in whatever way: no task of it goes on."""
        if self.waiting:
            self.disturbed = _FOR_EVER
        self.alive = self.open = False
        settle(self.ended, None)


class World:
    """Draws what happens next among all that may happen."""

    def __init__(self, seed: str, weather: Weather) -> None:
        self.dice = random.Random(seed)
        self.loop = SimulatedLoop()
        self.clock = SimulatedClock(self.loop)
        self.weather = weather
        self.outage = False
        self.disturbed = -1
        """When time last passed while verbs were under way, in turns."""

        self.turn = 0
        self.processes: list[Process] = []
        self.violation: str | None = None
        self._possible: list[Callable[[], None]] = []
        self._trace: list[tuple[Any, ...]] = []

    def run(self, story: Coroutine[Any, Any, None]) -> None:
        """Let the story happen, to its end.

        Raises:
            Violation: A promise was broken.
        """
        with self.loop.running():
            task = self.loop.create_task(story)
            while True:
                if not self.loop.drain() or self.turn > _MOST_TURNS:
                    self.fail("the world does not come to rest")
                if self.violation is not None:
                    raise Violation(self.violation)
                if task.done():
                    task.result()
                    return
                self._go_on()

    def _go_on(self) -> None:
        self.turn += 1
        chances = len(self._possible)
        if not chances:
            if not self.loop.skip():
                raise Violation("nothing can happen any more, and the story is not over")
        elif self.weather.slow and self.dice.random() < self.weather.slow:
            self.note(None, "slow")
            self.disturbed = self.turn
            if not self.loop.skip():
                raise Violation("time stands still")
        else:
            place = self.dice.randrange(chances)
            happening = self._possible[place]
            self._possible[place] = self._possible[-1]
            self._possible.pop()
            happening()

    def may(self, happening: Callable[[], None]) -> None:
        """Let something happen at some time from now."""
        self._possible.append(happening)

    async def point(self) -> None:
        """Let others go first, perhaps."""
        reached: asyncio.Future[None] = self.loop.create_future()
        self.may(lambda: settle(reached, None))
        await reached

    def chance(self, probability: float) -> bool:
        """Draw whether something happens."""
        return probability > 0 and self.dice.random() < probability

    def note(self, process: Process | None, *what: object) -> None:
        """Write down what happened."""
        self._trace.append((self.loop.time(), process, *what))

    def fail(self, message: str) -> None:
        """Remember the first promise that was broken; the world ends with it."""
        if self.violation is None:
            self.violation = message
            self.note(None, "VIOLATION", message)

    def clear_up(self) -> None:
        """Let no more faults happen."""
        self.note(None, "calm from here on")
        self.weather = CALM
        self.outage = False
        for process in self.processes:
            process.cut = False
            if process.stalled:
                process.disturb("goes on")
                self.loop.thaw(process)

    def trace(self) -> list[str]:
        """Return what happened, a line each."""
        return [
            f"{time:9.3f} {process.label if process else '--':<6} {' '.join(map(str, what))}"
            for time, process, *what in self._trace
        ]


def settle(future: "asyncio.Future[T]", value: T) -> None:
    """Give a future its value, if anybody still waits for it."""
    if not future.done():
        future.set_result(value)
