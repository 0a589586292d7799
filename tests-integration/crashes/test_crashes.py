"""Each scenario with few runs; `python -m crashes` plays them with thousands."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from crashes.scenarios import SCENARIOS, Place, Plan, Scenario, every_verb, play
from crashes.setting import Setting
from servers.server import Server
from servers.sql import execute

pytestmark = pytest.mark.timeout(150)

FEW = Plan(runs=80, kills=6, seconds=2)
VERBS = Plan(runs=60, kills=30, seconds=3)
"""Before and after each of the first verbs of a worker."""


@pytest.fixture(params=[name for name in SCENARIOS if name != "stalls-dramatiq"])
def scenario(request: pytest.FixtureRequest) -> Scenario:
    """Return what happens."""
    return SCENARIOS[request.param]


@pytest.fixture
def place(scenario: Scenario, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return where it happens; what is to be killed is this test's own."""
    database = broker = None
    if scenario.kills_database:
        database = _own(scenario.storage, request)
        url, space = database.url, "crashes"
        if scenario.storage == "postgres":
            execute(url, f"CREATE SCHEMA {space}")
            url = urlunsplit(urlsplit(url)._replace(scheme="postgresql+asyncpg"))
    else:
        url = request.getfixturevalue(f"{scenario.storage}_url")
        kind = "schema" if scenario.storage == "postgres" else "namespace"
        space = request.getfixturevalue(f"{scenario.storage}_{kind}")
    if scenario.broker is not None:
        broker = _own(scenario.broker, request)
    setting = Setting(
        storage=url, space=space, folder=str(tmp_path), broker=broker.url if broker else None
    )
    return Place(setting=setting, database=database, broker=broker)


def _own(name: str, request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue(f"own_{name}_server")
    return server


async def test_nothing_is_lost_nothing_comes_twice_and_all_is_explained(
    scenario: Scenario, place: Place
) -> None:
    plan = VERBS if scenario.trouble is every_verb else FEW

    verdict = await play(scenario, plan, place)

    assert ([], [], []) == (verdict.lost, verdict.twice, verdict.faults)
    assert [] == verdict.executions.unexplained
    assert plan.kills == verdict.kills
    assert verdict.runs >= plan.runs
