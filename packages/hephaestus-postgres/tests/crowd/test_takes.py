"""What is due, a step and a message are taken once, however many ask for them at once."""

from collections import Counter

from crowd.conftest import SIZE, AllDo
from hephaestus.testing.storage.samples import NOW, new_run, store
from hephaestus_postgres import PostgresStorage


async def some_runs(storage: PostgresStorage, count: int) -> list[str]:
    runs = [await store(storage, new_run(f"orderid::{n}"), wake_at=NOW) for n in range(count)]
    return [run.run_id for run in runs]


async def test_every_due_run_is_handed_to_one_process(
    opened: PostgresStorage, all_do: AllDo
) -> None:
    ids = await some_runs(opened, 200)

    taken = await all_do("take", limit=7)

    assert sorted(ids) == sorted(id for of_one in taken for id in of_one)


async def test_a_step_is_claimed_by_one_process(opened: PostgresStorage, all_do: AllDo) -> None:
    ids = await some_runs(opened, 50)

    claimed = await all_do("claim", *({"name": f"worker {n}"} for n in range(SIZE)), ids=ids)

    assert sorted(ids) == sorted(id for of_one in claimed for id in of_one)
    leases = [(await opened.load(id)).leases for id in ids]
    assert {1} == {len(of_run) for of_run in leases}


async def test_messages_of_one_dedup_key_arrive_once(
    opened: PostgresStorage, all_do: AllDo
) -> None:
    ids = await some_runs(opened, 50)

    took = await all_do("post", ids=ids)

    assert Counter(ids) == Counter(id for of_one in took for id in of_one)
    assert {1} == {len((await opened.load(id)).inbox) for id in ids}
