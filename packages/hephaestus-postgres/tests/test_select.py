"""What the queries of users read, and what they leave."""

import msgspec

from hephaestus import Context
from hephaestus.storage import Filters
from hephaestus.testing.storage.samples import finished_run
from hephaestus_postgres import PostgresStorage
from hephaestus_postgres.select import Selects


async def test_of_several_runs_of_an_id_only_the_one_that_it_means_is_read_with_its_results(
    opened: PostgresStorage,
) -> None:
    context = Context(initial={}, steps={"charge": {"total": 3}})
    for _ in range(3):
        await opened.put(msgspec.structs.replace(finished_run(), context=context))

    async with opened.engine.connect() as connection:
        found = await Selects(opened.tables).of_id("orderid::1", Filters.parse({}), connection)
    meant = await opened.get("orderid::1", history=False)

    assert [True, False, False] == [row["results"] is not None for row in found]
    assert {"charge": {"total": 3}} == meant.context.steps
    assert found[0]["run_id"] == meant.run_id
