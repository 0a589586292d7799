"""The scenarios: what is killed, while what goes on."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from crashes import apps, effects, flows, tables
from crashes.killer import Killer, each_verb
from crashes.load import Load
from crashes.nursery import Nursery
from crashes.setting import Setting
from crashes.verdict import Verdict, examine
from hephaestus_postgres import PostgresStorage
from servers.server import Server

_BRIEFLY = 1.0
_DOOMED_LIVES = 2.5
"""Seconds that a worker has to come to the verb at which it ends."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much of it."""

    runs: int
    kills: int
    seconds: float
    """Over how long starts and kills are spread."""

    seed: int = 1
    patience: float = 60.0
    """Seconds in which something must move, until the last run has ended."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where it happens, and the servers that may be killed."""

    setting: Setting
    database: Server | None = None
    broker: Server | None = None


Trouble: TypeAlias = Callable[[Killer, Plan, Place], Awaitable[None]]


async def random_kills(killer: Killer, plan: Plan, place: Place) -> None:
    """Workers are killed at random."""
    killer.launch_all()
    await killer.kill_at_random(plan.kills, plan.seconds)


async def standstills(killer: Killer, plan: Plan, place: Place) -> None:
    """Workers stand still for longer than their leases last, and go on; others are killed."""
    killer.launch_all()
    async with asyncio.TaskGroup() as group:
        group.create_task(killer.stall_at_random(plan.kills, plan.seconds))
        group.create_task(killer.kill_at_random(plan.kills, plan.seconds))


async def every_verb(killer: Killer, plan: Plan, place: Place) -> None:
    """Workers end before and after the nth verb of their storage, for each n."""
    dooms = each_verb(max(plan.kills // 2, 1))
    share = max(plan.runs // len(dooms), 2)
    numbers = range(plan.runs, plan.runs + len(dooms) * share)
    alone = flows.ALONE if place.broker is None else ()
    starts = [
        ()
        if not alone
        else tuple(
            f"{alone[number % len(alone)].__name__}-{number}"
            for number in numbers[share * n : share * (n + 1)]
        )
        for n in range(len(dooms))
    ]
    await killer.doom_each(dooms, starts, patience=_DOOMED_LIVES)
    killer.launch_all()


async def broker_troubles(killer: Killer, plan: Plan, place: Place) -> None:
    """Workers are killed at random; the broker forgets everything, and dies."""
    assert place.broker is not None
    killer.launch_all()

    async def trouble_the_broker(broker: Server) -> None:
        for trouble in (killer.flush, lambda: killer.restart(broker, _BRIEFLY)):
            await asyncio.sleep(plan.seconds / 3)
            await trouble()

    async with asyncio.TaskGroup() as group:
        group.create_task(killer.kill_at_random(plan.kills, plan.seconds))
        group.create_task(trouble_the_broker(place.broker))


async def database_troubles(killer: Killer, plan: Plan, place: Place) -> None:
    """Workers are killed at random; the database dies, twice."""
    assert place.database is not None
    killer.launch_all()

    async def trouble_the_database(database: Server) -> None:
        for _ in range(2):
            await asyncio.sleep(plan.seconds / 3)
            await killer.bring_down(database, _BRIEFLY)

    async with asyncio.TaskGroup() as group:
        group.create_task(killer.kill_at_random(plan.kills, plan.seconds))
        group.create_task(trouble_the_database(place.database))


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Which servers, which trouble."""

    storage: str
    trouble: Trouble
    broker: str | None = None
    kills_database: bool = False
    names: tuple[str | None, ...] = (None, None, None)


SCENARIOS: dict[str, Scenario] = {
    "local-postgres": Scenario(storage="postgres", trouble=random_kills),
    "local-redis": Scenario(storage="redis", trouble=random_kills, names=("a", "b", None)),
    "verbs-postgres": Scenario(storage="postgres", trouble=every_verb, names=("a", None, None)),
    "verbs-redis": Scenario(storage="redis", trouble=every_verb, names=("a", None, None)),
    "verbs-dramatiq": Scenario(storage="postgres", broker="rabbitmq", trouble=every_verb),
    "stalls-postgres": Scenario(storage="postgres", trouble=standstills),
    "stalls-dramatiq": Scenario(storage="redis", broker="redis", trouble=standstills),
    "broker-rabbitmq": Scenario(storage="postgres", broker="rabbitmq", trouble=broker_troubles),
    "broker-redis": Scenario(storage="redis", broker="redis", trouble=broker_troubles),
    "database-postgres": Scenario(
        storage="postgres", trouble=database_troubles, kills_database=True
    ),
    "database-redis": Scenario(storage="redis", trouble=database_troubles, kills_database=True),
}


async def play(scenario: Scenario, plan: Plan, place: Place) -> Verdict:
    """Let it happen, wait for the end of every run, and look at what is left."""
    chance = random.Random(plan.seed)
    setting = place.setting
    began = time.monotonic()
    effects.settle(setting.folder, setting.effects)
    await _prepare(setting)
    kinds = (*flows.ALONE, *flows.HELPED)
    kinds += flows.TRANSACTIONAL if setting.is_transactional else ()
    app = apps.outside_app(setting)
    seen: set[str] = set()
    with Nursery() as nursery:
        killer = Killer(nursery, setting, chance, scenario.names)
        async with app:
            with app.bound():
                load = Load(app, chance, seconds=plan.seconds)
                watching = asyncio.create_task(tables.watch(setting, seen))
                async with asyncio.TaskGroup() as group:
                    group.create_task(load.run(kinds, plan.runs))
                    group.create_task(_to_coroutine(scenario.trouble(killer, plan, place)))
                await load.is_over(plan.patience)
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching
    storage = apps.make_storage(setting)
    await storage.open()
    try:
        verdict = await examine(storage, setting, killer.damage, time.monotonic() - began)
        verdict.faults.extend(sorted(seen.difference(verdict.faults)))
        return verdict
    finally:
        await storage.close()


async def _to_coroutine(trouble: Awaitable[None]) -> None:
    await trouble


async def _prepare(setting: Setting) -> None:
    if setting.is_transactional:
        storage = PostgresStorage(setting.storage, schema=setting.space)
        await storage.migrate()
        await storage.engine.dispose()
        await tables.prepare(setting)
