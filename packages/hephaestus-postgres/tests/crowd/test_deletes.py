"""Deletes meet each other and writers, and neither harms the other."""

from collections import Counter

from sqlalchemy import func, select

from crowd.conftest import AllDo
from hephaestus.testing.storage.samples import entry, new_run, store
from hephaestus_postgres import PostgresStorage


async def some_runs(storage: PostgresStorage, count: int) -> list[str]:
    runs = [new_run(f"orderid::{number}") for number in range(count)]
    for run in runs:
        await store(storage, run, entries=(entry(run.run_id),))
    return [run.run_id for run in runs]


async def left(storage: PostgresStorage) -> list[int]:
    """Return how many rows each table has."""
    async with storage.engine.connect() as connection:
        counts = [select(func.count()).select_from(table) for table in storage.tables]
        return [(await connection.execute(count)).scalar_one() for count in counts]


async def test_of_concurrent_deletes_one_finds_the_run(
    opened: PostgresStorage, all_do: AllDo
) -> None:
    ids = await some_runs(opened, 50)

    answers = await all_do("delete", ids=ids)

    found = Counter(id for answer in answers for id, was_there in answer.items() if was_there)
    assert Counter(ids) == found
    assert [0, 0, 0] == await left(opened)


async def test_a_delete_leaves_nothing_of_what_is_written_meanwhile(
    opened: PostgresStorage, all_do: AllDo
) -> None:
    ids = await some_runs(opened, 30)

    counts = await all_do("delete_or_write", ids=ids)

    assert {"done", "InstanceNotFound", "StaleInstance"} >= set(
        sum(map(Counter, counts), Counter())
    )
    assert [0, 0, 0] == await left(opened)
