"""A broker that is away, forgets everything, or dies in mid-run."""

import asyncio
import json
import time
from collections.abc import Callable

import pytest

from hephaestus import Hephaestus
from processes.conftest import PATIENCE, Fleet, marked
from processes.plumbing import make_broker, marks
from processes.shop import Lingering, Order
from servers.server import Server

STACKS = [("postgres", "own_redis"), ("redis", "own_rabbitmq")]

pytestmark = [
    pytest.mark.parametrize("stack", STACKS, ids="-".join),
    pytest.mark.timeout(120),
]


@pytest.fixture
def server(stack: tuple[str, str], request: pytest.FixtureRequest) -> Server:
    """Return the broker's server."""
    server: Server = request.getfixturevalue(f"{stack[1]}_server")
    return server


async def test_what_starts_while_the_broker_is_away_runs_when_it_is_back(
    brief: None, web: Hephaestus, fleet: Fleet, server: Server
) -> None:
    await asyncio.to_thread(server.stop)
    began = time.monotonic()
    orders = [await Order.start(str(number), {}) for number in range(10)]
    accepted = time.monotonic() - began

    fleet.launch()
    await asyncio.to_thread(server.start)
    instances = [await order.wait(PATIENCE) for order in orders]

    assert accepted < PATIENCE / 3
    assert ["completed"] * 10 == [instance.status for instance in instances]
    assert 30 == len(marks())


async def test_runs_survive_a_broker_that_forgets_everything(
    brief: None, web: Hephaestus, fleet: Fleet, settings: dict[str, str]
) -> None:
    orders = [await Order.start(str(number), {}) for number in range(20)]
    broker = make_broker(settings)
    queue = settings["QUEUE"]
    for name in (queue, json.loads(settings["OPTIONS"])["orchestration_queue"]):
        broker.declare_queue(name)
    broker.flush_all()
    broker.close()

    fleet.launch()
    instances = [await order.wait(PATIENCE) for order in orders]

    assert ["completed"] * 20 == [instance.status for instance in instances]
    assert 60 == len(marks())


@pytest.mark.parametrize("options", [{"lease": 15, "poll": 0.2, "grace": 1}], ids=["long"])
async def test_runs_survive_a_broker_that_dies_while_they_go_on(
    brief: None,
    web: Hephaestus,
    fleet: Fleet,
    server: Server,
    open_gate: Callable[[str], None],
) -> None:
    fleet.launch()
    fleet.launch()
    before = [await Lingering.start(str(number), {}) for number in range(4)]
    orders = [await Order.start(str(number), {}) for number in range(20)]
    await marked("linger", times=4)

    await asyncio.to_thread(server.kill)
    during = [await Order.start(f"d{number}", {}) for number in range(10)]
    open_gate("go")
    await asyncio.to_thread(server.start)
    after = [await Order.start(f"a{number}", {}) for number in range(10)]
    instances = [await run.wait(PATIENCE) for run in (*before, *orders, *during, *after)]

    assert {"completed"} == {instance.status for instance in instances}
    assert "lost" not in {e.action for one in instances for e in one.execution_history}
