"""Which run an id means, however many have had it."""

from datetime import timedelta

from hephaestus.testing.storage.samples import NOW, finished_run, new_run, store
from hephaestus_postgres import PostgresStorage


async def test_an_id_means_the_unfinished_run_however_many_have_ended_since(
    opened: PostgresStorage,
) -> None:
    waiting = await store(opened, new_run(created_at=NOW))
    for second in range(60):
        await store(opened, finished_run(created_at=NOW + timedelta(seconds=second)))

    found = await opened.get("orderid::1")

    assert found.run_id == waiting.run_id


async def test_with_a_workflow_an_id_means_its_last_run_among_many_of_another(
    opened: PostgresStorage,
) -> None:
    refunds = [
        await store(
            opened, finished_run(workflow="shop.Refunds", created_at=NOW + timedelta(days=n))
        )
        for n in (1, 2)
    ]
    for second in range(60):
        await store(opened, finished_run(created_at=NOW + timedelta(days=9, seconds=second)))

    found = await opened.get("orderid::1", workflow="shop.Refunds", history=False)

    assert found.run_id == refunds[-1].run_id


async def test_what_an_id_may_mean_is_found_without_the_data_of_the_runs(
    opened: PostgresStorage,
) -> None:
    await store(opened, new_run(initial={"total": 3}))

    (row,) = await opened._reads.runs_of("orderid::1")

    assert {"place", "run_id", "workflow", "workflow_version", "status"} == set(row.keys())
