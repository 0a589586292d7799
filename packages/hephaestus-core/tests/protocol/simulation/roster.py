"""The programs that are deployed, and that are started again when they end."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Literal, cast

from hephaestus.app import Hephaestus
from hephaestus.errors import StorageUnavailable
from hephaestus.local import LocalRunner
from hephaestus.memory import MemoryStorage
from hephaestus.runner import Runner
from hephaestus.storage import Storage
from protocol.simulation.broker import Broker
from protocol.simulation.connection import Connection
from protocol.simulation.monitor import Monitor
from protocol.simulation.sending import SendingRunner
from protocol.simulation.world import Died, Process, World

_LOOK = 4.0
"""Seconds between two looks at the sky."""


@dataclass(frozen=True, slots=True)
class Program:
    """One incarnation, with what it has."""

    process: Process
    runner: Runner
    storage: Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What is deployed: each start of it is a new incarnation."""

    number: int
    kind: Literal["local", "broker"]
    name: str | None
    concurrency: int
    grace: float


class Roster:
    """Keeps every slot filled, and lets the weather at them."""

    def __init__(self, world: World, monitor: Monitor, truth: MemoryStorage) -> None:
        self._world = world
        self._monitor = monitor
        self._truth = truth
        self._broker = Broker(world)
        self._programs: list[Program] = []
        self._troubles: list[asyncio.Task[None]] = []
        dice = world.dice
        kinds: tuple[Literal["local", "broker"], ...] = dice.choice(
            (("local",), ("broker",), ("local", "broker"))
        )
        self._slots = [
            Slot(
                number=number,
                kind=dice.choice(kinds),
                name=dice.choice((None, f"worker-{number}")),
                concurrency=dice.choice((1, 2, 10)),
                grace=dice.choice((0, 2, 10)),
            )
            for number in range(dice.choice((1, 2, 2, 3)))
        ]

    def deploy(self) -> list[asyncio.Task[None]]:
        """Start everything, for ever."""
        work = [self._fill(slot) for slot in self._slots]
        return [asyncio.create_task(one) for one in (*work, self._watch_the_sky())]

    async def any_open(self) -> Program:
        """Return a program that takes calls, as soon as there is one."""
        while True:
            found = [program for program in self._programs if program.process.open]
            if found:
                return self._world.dice.choice(found)
            await asyncio.sleep(1)

    async def _fill(self, slot: Slot) -> None:
        dice = self._world.dice
        generation = 0
        while True:
            generation += 1
            program = self._program(slot, f"{slot.kind[0].upper()}{slot.number}.{generation}")
            process = program.process
            app = Hephaestus(program.storage, program.runner, clock=self._world.clock)
            try:
                await process.call(program.runner.open(app, program.storage, self._world.clock))
                process.open = True
                self._world.note(process, "opens as", slot.name)
                await process.ended
            except (StorageUnavailable, Died):
                process.leave()
            self._programs.remove(program)
            self._broker.recover(process)
            await asyncio.sleep(dice.choice((0, 1, 10, 30)))

    def _program(self, slot: Slot, label: str) -> Program:
        process = Process(self._world, label)
        self._world.processes.append(process)
        storage = cast("Storage", Connection(process, self._truth, self._monitor))
        runner: Runner
        if slot.kind == "local":
            runner = LocalRunner(
                concurrency=slot.concurrency, poll=5, grace=slot.grace, name=slot.name
            )
        else:
            runner = SendingRunner(self._broker, process, worker=slot.name, grace=slot.grace)
            process.hints = False
        program = Program(process, runner, storage)
        self._programs.append(program)
        return program

    async def _watch_the_sky(self) -> None:
        world = self._world
        while True:
            await asyncio.sleep(_LOOK)
            weather = world.weather
            if world.chance(weather.outage):
                world.note(None, "outage")
                world.outage = True
                self._begin(self._end_outage())
            for program in list(self._programs):
                process = program.process
                if world.chance(weather.stall) and not process.stalled:
                    self._begin(self._stall(process))
                elif world.chance(weather.cut) and not process.cut:
                    self._begin(self._cut(process))
                elif world.chance(weather.crash):
                    process.die()
                elif process.open and world.chance(weather.deploy):
                    self._begin(self._close(program))

    def _begin(self, trouble: Coroutine[Any, Any, None]) -> None:
        self._troubles.append(asyncio.create_task(trouble))

    async def _end_outage(self) -> None:
        await asyncio.sleep(self._world.dice.choice((1, 8, 25)))
        self._world.outage = False

    async def _stall(self, process: Process) -> None:
        process.disturb("stalls")
        process.stalled = True
        await asyncio.sleep(self._world.dice.choice((2, 10, 30)))
        process.disturb("goes on")
        self._world.loop.thaw(process)

    async def _cut(self, process: Process) -> None:
        process.disturb("is cut off")
        process.cut = True
        await asyncio.sleep(self._world.dice.choice((2, 10, 30)))
        process.disturb("is connected again")
        process.cut = False

    async def _close(self, program: Program) -> None:
        process = program.process
        process.open, process.closing = False, True
        self._world.note(process, "closes")
        try:
            await process.call(program.runner.close())
        except Died:
            return
        self._world.note(process, "has closed")
        # A program may go on after it has closed its app.
        await asyncio.sleep(self._world.dice.choice((0, 20)))
        process.leave()
