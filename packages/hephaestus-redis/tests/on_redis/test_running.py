"""LocalRunner on RedisStorage: the whole contract of a runner."""

from typing import Unpack

import pytest

from hephaestus.local import LocalRunner
from hephaestus.testing import RunnerContract
from hephaestus.testing.runner.apps import OpenApp, Options
from hephaestus.testing.runner.stage import Stage
from hephaestus.testing.runner.workflows import Errand
from hephaestus_redis import RedisStorage


class TestLocalRunnerOnRedis(RunnerContract):
    @pytest.fixture
    def storage(self, redis_url: str, redis_namespace: str) -> RedisStorage:
        return RedisStorage(redis_url, namespace=redis_namespace)

    def make_runner(self, **options: Unpack[Options]) -> LocalRunner:
        return LocalRunner(**options)

    async def test_a_run_that_is_cancelled_at_once_executes_nothing(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        # Reading the run takes a round trip, in which the contract's quick step would end.
        stage.direct("run_errand", lambda _: stage.reached("never"))
        await open_app()

        errand = await Errand.start("1", stage.initial())
        await errand.cancel()
        instance = await errand.get()

        assert "cancelled" == instance.status
        assert set() == instance.completed_steps
