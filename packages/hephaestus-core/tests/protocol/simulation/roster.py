"""The programs that are deployed, and that are started again when they end."""

import asyncio
from dataclasses import dataclass
from typing import Literal, cast

from hephaestus.app import Hephaestus
from hephaestus.errors import StorageUnavailable
from hephaestus.execution import pending
from hephaestus.instance import Instance
from hephaestus.local import LocalRunner
from hephaestus.memory import MemoryStorage
from hephaestus.runner import Runner
from hephaestus.storage import Storage
from simulation.broker import Broker, BrokerRunner
from simulation.connection import Connection
from simulation.monitor import Monitor
from simulation.world import Died, Process, World

_LOOK = 4.0
"""Seconds between two looks at the sky."""


@dataclass(frozen=True, slots=True)
class Program:
    """One incarnation, with what it has."""

    process: Process
    runner: Runner
    storage: Storage


@dataclass(frozen=True, slots=True)
class Slot:
    """What is deployed: each start of it is a new incarnation."""

    number: int
    kind: Literal["local", "broker"]
    name: str | None
    concurrency: int


class Roster:
    """Keeps every slot filled, and lets the weather at them."""

    def __init__(self, world: World, monitor: Monitor, truth: MemoryStorage) -> None:
        self._world = world
        self._monitor = monitor
        self._truth = truth
        self._broker = Broker(world)
        self._programs: list[Program] = []
        dice = world.dice
        kinds: tuple[Literal["local", "broker"], ...] = dice.choice(
            (("local",), ("broker",), ("local", "broker"))
        )
        self._slots = [
            Slot(number, dice.choice(kinds), dice.choice((None, f"worker-{number}")),
                 dice.choice((1, 2, 10)))
            for number in range(dice.choice((1, 2, 2, 3)))
        ]  # fmt: skip

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

    async def start(
        self, runner: Runner, storage: Storage, instance: Instance, later: object
    ) -> None:
        """Start a run, or store it alone as a start in a caller's transaction does."""
        if later is None:
            await runner.start(instance)
        else:
            await storage.create(pending(instance, self._world.clock.now()))

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
            runner = LocalRunner(concurrency=slot.concurrency, poll=5, name=slot.name)
        else:
            runner = BrokerRunner(self._broker, process, slot.name)
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
                asyncio.create_task(self._end_outage())  # noqa: RUF006  # the loop keeps tasks
            for program in list(self._programs):
                process = program.process
                if world.chance(weather.stall) and not process.stalled:
                    asyncio.create_task(self._stall(process))  # noqa: RUF006  # as above
                elif world.chance(weather.cut) and not process.cut:
                    asyncio.create_task(self._cut(process))  # noqa: RUF006  # as above
                elif world.chance(weather.crash):
                    process.die()
                elif process.open and world.chance(weather.deploy):
                    asyncio.create_task(self._close(program))  # noqa: RUF006  # as above

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
        process.open = False
        self._world.note(process, "closes")
        try:
            await process.call(program.runner.close())
        except Died:
            return
        self._world.note(process, "has closed")
        process.leave()
