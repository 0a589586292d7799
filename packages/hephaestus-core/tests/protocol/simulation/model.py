"""One world from a seed: who lives in it, what is wanted of it, and whether it keeps its word."""

import asyncio
import contextvars
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from hephaestus.errors import HephaestusError
from hephaestus.memory import MemoryStorage
from protocol.simulation.monitor import Monitor
from protocol.simulation.roster import Roster
from protocol.simulation.scenarios import SCENARIOS, Scenario, and_a_cancel, and_a_deletion
from protocol.simulation.user import User
from protocol.simulation.verdict import complaints
from protocol.simulation.weather import Weather, forecast
from protocol.simulation.workflows import MONITOR
from protocol.simulation.world import Died, Violation, World

_LONGEST_CALM = 3600.0
_QUIET = 45.0
_LOGGERS = ("hephaestus.runner", "hephaestus.storage", "asyncio")


@dataclass(frozen=True, slots=True)
class Report:
    """How a world went."""

    seed: int
    scenarios: tuple[str, ...]
    weather: str
    violation: str | None
    reasons: Counter[str]
    """Why steps were executed again, and how often."""

    world: World

    def __str__(self) -> str:
        head = f"seed {self.seed}: {self.violation}\n{', '.join(self.scenarios)}; {self.weather}"
        return "\n".join([head, *self.world.trace()])


def simulate(
    seed: int,
    storage: Callable[[], MemoryStorage] = MemoryStorage,
    *,
    scenarios: Sequence[Scenario] = SCENARIOS,
    weather: Weather | None = None,
) -> Report:
    """Let a world live; the same seed gives the same one."""
    dice = random.Random(f"weather {seed}")
    forecasted = forecast(dice)
    plays = [dice.choice(scenarios) for _ in range(dice.choice((1, 1, 2)))]
    world = World(str(seed), forecasted if weather is None else weather)
    # A context of its own: what is set there is nobody else's.
    return contextvars.Context().run(_live, seed, world, storage(), plays)


@contextmanager
def silence() -> Iterator[None]:
    """Keep out of the log what is to be expected in such worlds."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _live(seed: int, world: World, truth: MemoryStorage, scenarios: list[Scenario]) -> Report:
    weather = str(world.weather)
    monitor = Monitor(world)
    MONITOR.set(monitor)
    violation = None
    try:
        world.run(_story(world, monitor, truth, scenarios))
    except Violation as broken:
        violation = str(broken)
    return Report(
        seed=seed,
        scenarios=tuple(scenario.__name__ for scenario in scenarios),
        weather=weather,
        violation=violation,
        reasons=monitor.tenancy.reasons,
        world=world,
    )


async def _story(
    world: World, monitor: Monitor, truth: MemoryStorage, scenarios: list[Scenario]
) -> None:
    roster = Roster(world, monitor, truth)
    roster.deploy()
    users = [User(world, monitor, roster, number) for number in range(len(scenarios))]
    stories = [
        asyncio.create_task(_play(user, scenario))
        for user, scenario in zip(users, scenarios, strict=True)
    ]
    await asyncio.sleep(world.dice.choice((10, 30, 60, 90)))
    world.clear_up()
    await _until_over(world, monitor, stories)
    await asyncio.sleep(_QUIET)
    for error in world.loop.errors():
        if not isinstance(error, HephaestusError | Died):
            world.fail(f"a task ended with {error!r}")
    for run_id, run in monitor.runs.items():
        if run.deleted:
            continue
        for complaint in await complaints(run_id, run, truth):
            world.fail(complaint)


async def _play(user: User, scenario: Scenario) -> None:
    fate = user.dice.random()
    if fate < 0.25:
        await and_a_cancel(user, scenario)
    elif fate < 0.3:
        await and_a_deletion(user, scenario)
    else:
        await scenario(user)


async def _until_over(world: World, monitor: Monitor, stories: list[asyncio.Task[None]]) -> None:
    deadline = world.loop.time() + _LONGEST_CALM
    while not (all(story.done() for story in stories) and monitor.is_settled()):
        if world.loop.time() > deadline:
            stuck = {
                run_id: (run.instance.status, sorted(run.instance.active))
                for run_id, run in monitor.runs.items()
                if not run.instance.is_finished
            }
            world.fail(f"an hour after the last fault, runs are not finished: {stuck}")
            return
        await asyncio.sleep(5)
    for story in stories:
        story.result()
