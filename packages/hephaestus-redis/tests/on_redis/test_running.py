"""LocalRunner on RedisStorage: the whole contract of a runner, and what a run costs."""

from typing import Unpack

import pytest
from redis.asyncio import Redis

from hephaestus import Done, Hephaestus, StepContext, Workflow, step
from hephaestus.local import LocalRunner
from hephaestus.testing import RunnerContract
from hephaestus.testing.runner.apps import Options
from hephaestus.testing.runner.stage import PATIENCE
from hephaestus_redis import RedisStorage
from on_redis.setting import Server


@step
async def first(ctx: StepContext) -> dict[str, int]:
    return {"number": ctx.initial["number"] + 1}


@step
async def second(ctx: StepContext) -> dict[str, int]:
    return {"number": ctx[first]["number"] + 1}


@step
async def third(ctx: StepContext) -> dict[str, int]:
    return {"number": ctx[second]["number"] + 1}


class Line(Workflow, unique="line"):
    """Three steps, one after the other."""

    start_step = first
    transitions = {first: {"done": second}, second: {"done": third}, third: {"done": Done}}


async def test_a_line_of_three_steps_takes_four_scripts(
    own_redis_server: Server, own_client: Redis
) -> None:
    async with Hephaestus(RedisStorage(own_redis_server.url), LocalRunner(poll=3600)):
        await (await Line.start("1", {"number": 0})).result(timeout=PATIENCE)
        await own_client.config_resetstat()

        result = await (await Line.start("2", {"number": 0})).result(timeout=PATIENCE)

        calls = (await own_client.info("commandstats"))["cmdstat_evalsha"]["calls"]
        assert (result, calls) == ({"number": 3}, 4)


class TestLocalRunnerOnRedis(RunnerContract):
    @pytest.fixture
    def storage(self, redis_url: str, redis_namespace: str) -> RedisStorage:
        return RedisStorage(redis_url, namespace=redis_namespace)

    def make_runner(self, **options: Unpack[Options]) -> LocalRunner:
        return LocalRunner(**options)
