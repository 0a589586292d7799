"""Of all who start runs of one key at once, in several processes, one is the first."""

from collections import Counter

import pytest

from crowd.conftest import AllDo
from hephaestus.instance import TERMINAL
from hephaestus.testing.storage.samples import finished_run, store
from hephaestus_postgres import PostgresStorage

KEY = "orders 1"


@pytest.mark.parametrize("flow", ["OfWorkflow", "OfVersion", "OfAll"])
async def test_a_hundred_starts_of_one_key_give_one_run(
    opened: PostgresStorage, all_do: AllDo, flow: str
) -> None:
    counts = await all_do("start", flow=flow, value="abc", times=25)

    assert {"done": 1, "AlreadyRunning": 99} == sum(map(Counter, counts), Counter())
    assert 1 == await opened.count()


async def test_a_hundred_starts_without_a_scope_give_a_hundred_runs(
    opened: PostgresStorage, all_do: AllDo
) -> None:
    counts = await all_do("start", flow="OfNone", value="abc", times=25)

    assert {"done": 100} == sum(map(Counter, counts), Counter())
    assert 100 == await opened.count()


async def test_a_key_is_free_as_soon_as_its_holder_has_ended(
    opened: PostgresStorage, all_do: AllDo
) -> None:
    counts = await all_do("start_and_end", key=KEY, times=50)

    total: Counter[str] = sum(map(Counter, counts), Counter())
    assert {"done", "AlreadyRunning"} >= set(total)
    assert 200 == total.total()
    assert total["done"] == await opened.count(status="completed") == await opened.count()


async def test_a_failed_run_and_new_ones_contend_for_its_key(
    opened: PostgresStorage, all_do: AllDo
) -> None:
    failed = await store(opened, finished_run(status="failed", unique_key=KEY))

    counts = await all_do("retry_or_start", key=KEY, run_id=failed.run_id)

    total: Counter[str] = sum(map(Counter, counts), Counter())
    assert (1, 24) == (total["done"], total.total())
    unfinished = [run for run in await opened.query() if run.status not in TERMINAL]
    assert 1 == len(unfinished)
