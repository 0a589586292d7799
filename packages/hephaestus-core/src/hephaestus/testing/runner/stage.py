"""What a test and the bodies of its steps share: what a body does, and how far they have come."""

import asyncio
import inspect
import itertools
import secrets
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from hephaestus.steps import StepContext

PATIENCE = 30.0
"""Seconds after which a test gives up on what does not come."""

Body = Callable[[StepContext], Any]
"""What a step does; plain or `async def`, as the step."""

_stages: dict[str, "Stage"] = {}


class Stage:
    """Directs the steps of the sample workflows, and counts marks that steps and tests make.

    A runner may execute bodies on another event loop or in threads, so marks can be made and
    awaited anywhere in the process.
    """

    def __init__(self) -> None:
        self._id = secrets.token_hex(4)
        self._bodies: dict[str, Body] = {}
        self._marks: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._awaited: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.order: list[str] = []
        """The marks in the order in which they were made."""

        _stages[self._id] = self

    def close(self) -> None:
        """Forget the stage; steps that still look for it fail."""
        del _stages[self._id]

    def initial(self, **more: object) -> dict[str, Any]:
        """Return the initial data of a run whose steps shall find this stage."""
        return {"stage": self._id, **more}

    def direct(self, step: str, body: Body) -> None:
        """Say what the body of a sample step does; undirected it ends with its first event."""
        self._bodies[step] = body

    def body(self, step: str) -> Body:
        """Return what the body of a step does."""
        return self._bodies.get(step, _nothing)

    def mark(self, name: str) -> None:
        """Make a mark; each step makes one of its own key when its body begins."""
        with self._changed:
            self._marks[name] += 1
            self.order.append(name)
            self._changed.notify_all()
            awaited = list(self._awaited)
        for loop, changed in awaited:
            loop.call_soon_threadsafe(changed.set)

    def count(self, name: str) -> int:
        """Return how often the mark was made."""
        with self._changed:
            return self._marks[name]

    async def reached(self, name: str, times: int = 1) -> None:
        """Return when the mark was made that often, on any event loop.

        Raises:
            AssertionError: It was not in time.
        """
        changed = asyncio.Event()
        waiter = (asyncio.get_running_loop(), changed)
        with self._changed:
            self._awaited.add(waiter)
        try:
            async with asyncio.timeout(PATIENCE):
                while self.count(name) < times:
                    await changed.wait()
                    changed.clear()
        except TimeoutError:
            raise AssertionError(self._complaint(name, times)) from None
        finally:
            with self._changed:
                self._awaited.discard(waiter)

    def reached_in_thread(self, name: str, times: int = 1) -> None:
        """Return when the mark was made that often; for plain functions.

        Raises:
            AssertionError: It was not in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._marks[name] >= times, PATIENCE):
                raise AssertionError(self._complaint(name, times))

    def _complaint(self, name: str, times: int) -> str:
        return f"{name!r} was marked {self._marks[name]} times, not {times}; marks: {self.order}"


def hanging_once(stage: Stage, step: str) -> Body:
    """Return a body that hangs when it is executed first, marks that, and later returns."""
    calls = itertools.count(1)

    async def body(ctx: StepContext) -> dict[str, Any]:
        if next(calls) == 1:
            stage.mark(f"{step} hangs")
            await stage.reached("never")
        return {"attempt": ctx.attempt}

    return body


def stage_of(ctx: StepContext) -> Stage:
    """Return the stage of the run that a step works for."""
    return _stages[ctx.initial["stage"]]


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when a condition holds that nothing announces.

    Raises:
        AssertionError: It did not in time.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            while not await condition():  # noqa: ASYNC110  # nothing tells when it comes true
                await asyncio.sleep(0)
    except TimeoutError:
        raise AssertionError(f"{condition.__qualname__} did not come true") from None


async def perform(ctx: StepContext, step: str, event: str) -> object:
    """Do what an `async def` step is directed to do."""
    stage = stage_of(ctx)
    stage.mark(step)
    returned = stage.body(step)(ctx)
    if inspect.isawaitable(returned):
        returned = await returned
    return event if returned is None else returned


def perform_plainly(ctx: StepContext, step: str, event: str) -> object:
    """Do what a plain step is directed to do."""
    stage = stage_of(ctx)
    stage.mark(step)
    returned = stage.body(step)(ctx)
    return event if returned is None else returned


def _nothing(ctx: StepContext) -> None:
    """Do nothing; the step ends with its first event."""
