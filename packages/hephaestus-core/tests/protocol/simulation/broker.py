"""A broker that loses, doubles, holds back and reorders messages."""

import asyncio
import contextvars
from typing import NamedTuple

from protocol.simulation.world import Process, World, settle


class Order(NamedTuple):
    """A message that asks for the execution of a step."""

    run_id: str
    step: str
    attempt: int
    workflow: str
    version: int


class Broker:
    """Hands orders to executors, in any order; a hint that can be lost."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._orders: list[Order] = []
        self._executors: list[tuple[Process, asyncio.Future[Order]]] = []
        self._unconfirmed: list[tuple[Process, Order]] = []

    def send(self, order: Order) -> None:
        """Accept an order, or lose it, or take it for two."""
        weather = self._world.weather
        copies = 0 if self._world.chance(weather.drop) else 1
        copies += self._world.chance(weather.double)
        self._world.note(None, "sent", copies, "times:", *order)
        for _ in range(copies):
            if self._world.chance(weather.hold):
                # Outside all hosts: an order outlives the process that sent it.
                delay = self._world.dice.choice((1, 10, 30))
                nobody = contextvars.Context()
                self._world.loop.call_later(delay, self._arrive, order, context=nobody)
            else:
                self._arrive(order)

    def _arrive(self, order: Order) -> None:
        self._orders.append(order)
        self._world.may(self._deliver)

    async def receive(self, process: Process) -> Order:
        """Return an order, as soon as there is one."""
        order: asyncio.Future[Order] = self._world.loop.create_future()
        self._executors.append((process, order))
        if self._orders:
            self._world.may(self._deliver)
        return await order

    def confirm(self, process: Process, order: Order) -> None:
        """Forget an order that a process has dealt with."""
        self._unconfirmed.remove((process, order))

    def recover(self, process: Process) -> None:
        """Send again what a process that has ended did not confirm."""
        for place in [p for p in self._unconfirmed if p[0] is process]:
            self._unconfirmed.remove(place)
            self.send(place[1])

    def _deliver(self) -> None:
        self._executors = [
            (process, order)
            for process, order in self._executors
            if process.alive and not order.done()
        ]
        if self._orders and self._executors:
            dice = self._world.dice
            order = self._orders.pop(dice.randrange(len(self._orders)))
            process, future = self._executors.pop(dice.randrange(len(self._executors)))
            self._unconfirmed.append((process, order))
            settle(future, order)
