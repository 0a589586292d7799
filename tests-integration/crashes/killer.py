"""Kills: of workers at random, of workers at their nth verb, of servers; and standstills."""

import asyncio
import itertools
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence

import msgspec

from crashes import apps
from crashes.damage import Damage
from crashes.doom import STATUS
from crashes.nursery import Nursery
from crashes.setting import Doom, Setting
from servers.server import Server

_GLANCE = 0.02


class Killer:
    """Keeps workers alive, and kills them.

    Args:
        names: What the workers are called, if they bear names.
    """

    def __init__(
        self,
        nursery: Nursery,
        setting: Setting,
        chance: random.Random,
        names: Sequence[str | None] = (None, None, None),
    ) -> None:
        self.damage = Damage()
        self._nursery = nursery
        self._setting = setting
        self._chance = chance
        self._names = names
        self._living: dict[int, str | None] = {}

    def launch_all(self) -> None:
        """Begin all workers."""
        for name in self._names:
            self._launch(name)

    def kill_one(self) -> None:
        """Kill one of the workers, and begin another in its place."""
        pid = self._chance.choice(sorted(self._living))
        name = self._living.pop(pid)
        self._nursery.kill(pid)
        self.damage.kills[pid] = time.time()
        self._launch(name)

    async def kill_at_random(self, kills: int, seconds: float) -> None:
        """Kill so many workers, within that time on average."""
        for _ in range(kills):
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * seconds / kills)
            self.kill_one()

    async def stall_at_random(self, stalls: int, seconds: float) -> None:
        """Let so many workers stand still until they have lost their leases, and go on."""

        async def stall() -> None:
            # Chosen only now: one that was chosen a round ago may have been killed meanwhile.
            pid = self._chance.choice(sorted(self._living))
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(self._setting.lease * 1.5)
            if pid in self._living:
                os.kill(pid, signal.SIGCONT)

        async with asyncio.TaskGroup() as group:
            for _ in range(stalls):
                await asyncio.sleep(self._chance.uniform(0.5, 1.5) * seconds / stalls)
                group.create_task(stall())

    async def doom_each(
        self, dooms: Sequence[Doom], starts: Sequence[tuple[str, ...]], *, patience: float
    ) -> None:
        """Let one worker after another end at a verb, some of them at a time."""
        todo = zip(dooms, starts, strict=True)
        lines = [self._doom(todo, name, patience) for name in self._names]
        await asyncio.gather(*lines)

    async def bring_down(self, server: Server, seconds: float) -> None:
        """Kill a database, and start it again after a time."""
        began = time.time()
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(server.start)
        # What had begun to give up while it was away may end a little later.
        self.damage.outages.append((began, time.time() + self._setting.lease))
        self.damage.restarts += 1

    async def restart(self, broker: Server, seconds: float) -> None:
        """Kill a broker, and start it again after a time."""
        await asyncio.to_thread(broker.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(broker.start)
        self.damage.restarts += 1

    async def flush(self) -> None:
        """Let the broker forget all messages."""
        await asyncio.to_thread(_flush, self._setting)
        self.damage.restarts += 1

    def _launch(self, name: str | None) -> None:
        self._living[self._nursery.launch(_named(self._setting, name))] = name

    async def _doom(
        self,
        todo: Iterator[tuple[Doom, tuple[str, ...]]],
        name: str | None,
        patience: float,
    ) -> None:
        for doom, starts in todo:
            setting = msgspec.structs.replace(_named(self._setting, name), doom=doom, starts=starts)
            pid = self._nursery.launch(setting)
            deadline = time.monotonic() + patience
            status = self._nursery.look(pid)
            while status is None and time.monotonic() < deadline:
                await asyncio.sleep(_GLANCE)
                status = self._nursery.look(pid)
            if status is None:
                self._nursery.kill(pid)
            elif status != STATUS:
                raise AssertionError(f"a worker ended by itself: {status}")
            self.damage.kills[pid] = time.time()


def _named(setting: Setting, name: str | None) -> Setting:
    return msgspec.structs.replace(setting, name=name)


def _flush(setting: Setting) -> None:
    broker = apps.make_broker(setting)
    for queue in apps.queues(setting):
        broker.declare_queue(queue)
    broker.flush_all()
    broker.close()


def each_verb(last: int) -> list[Doom]:
    """Return the dooms before and after each verb."""
    moments = itertools.product(range(1, last + 1), ("before", "after"))
    return [Doom(verb=verb, when=when) for verb, when in moments]
