"""A process's way to the storage: each verb arrives when the world lets it, or does not."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from hephaestus.errors import HephaestusError, StorageUnavailable
from hephaestus.memory import MemoryStorage
from protocol.simulation.monitor import Monitor
from protocol.simulation.world import Process, World, settle


class Connection:
    """Has every verb of the storage; each is a point where others go first, or all goes wrong."""

    def __init__(self, process: Process, truth: MemoryStorage, monitor: Monitor) -> None:
        self._process = process
        self._truth = truth
        self._monitor = monitor

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._truth, name)
        if not inspect.iscoroutinefunction(value):
            return value
        return functools.partial(self._send, name, value)

    async def _send(self, name: str, verb: Callable[..., Any], *args: Any, **options: Any) -> Any:
        process = self._process
        call = functools.partial(verb, *args, **options)
        request = _Request(process, self._monitor, name, call, args)
        process.world.may(request.arrive)
        process.waiting += 1
        try:
            outcome, value = await request.answer
        finally:
            process.waiting -= 1
        if outcome == "raised":
            raise value
        return value


class _Request:
    """One call of a verb on its way."""

    def __init__(
        self,
        process: Process,
        monitor: Monitor,
        name: str,
        verb: Callable[[], Coroutine[Any, Any, Any]],
        args: tuple[Any, ...],
    ) -> None:
        self._process = process
        self._world: World = process.world
        self._monitor = monitor
        self._name = name
        self._verb = verb
        self._args = args
        self.answer: asyncio.Future[tuple[str, Any]] = self._world.loop.create_future()

    def arrive(self) -> None:
        """Take effect, and be answered; or whatever the weather brings."""
        world, process, weather = self._world, self._process, self._world.weather
        if not process.alive or self.answer.done():
            self._arrive_late()
        elif world.outage or process.cut or world.chance(weather.refuse):
            self._break("refused")
        elif world.chance(weather.lose_answer):
            self._take_effect()
            self._break("answer lost")
        elif world.chance(weather.delay):
            self._break("delayed")
            world.may(self._arrive_late)
        elif world.chance(weather.crash_before):
            process.die()
        elif world.chance(weather.crash_after):
            self._take_effect()
            process.die()
        elif world.chance(weather.crash_meanwhile):
            process.die()
            world.may(self._arrive_late)
        else:
            self._reply(self._take_effect())

    def _arrive_late(self) -> None:
        """Take effect although nobody waits for the answer any more, or get lost."""
        if self._world.dice.random() < 0.5:
            self._process.disturb(f"{self._name} arrives late")
            self._take_effect()
        else:
            self._process.disturb(f"{self._name} gets lost")

    def _take_effect(self) -> tuple[str, Any]:
        call = self._verb()
        try:
            call.send(None)
        except StopIteration as stop:
            self._monitor.saw(self._process, self._name, self._args, stop.value)
            return "returned", stop.value
        except HephaestusError as error:
            self._world.note(self._process, self._name, type(error).__name__)
            return "raised", error
        raise AssertionError(f"{self._name} of a memory storage waited for something")

    def _reply(self, outcome: tuple[str, Any]) -> None:
        if self._world.dice.random() < 0.5:
            settle(self.answer, outcome)
        else:
            self._world.may(lambda: settle(self.answer, outcome))

    def _break(self, how: str) -> None:
        self._process.disturb(f"{self._name}: {how}")
        self._reply(("raised", StorageUnavailable("the simulated storage", how)))
