"""This project: tables that hold many finished runs."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from bench.contenders.hephaestus.line import line
from bench.contenders.hephaestus.stores import distributions, postgres
from bench.contract import Contender, Run, Setting
from bench.jobs.finished import FINISHED, Filled

_RUNS = """\
INSERT INTO workflow_instances
SELECT copy.* FROM workflow_instances i, generate_series(1, {size}) n, LATERAL (
    SELECT i.created_at - n * interval '10 ms' AS at,
           '01900000-0000-7000-8000-' || lpad(to_hex({size} - n), 12, '0') AS run_id
) AS made, LATERAL jsonb_populate_record(i, jsonb_build_object(
    'run_id', made.run_id, 'id', 'number::f' || n, 'unique_key', 'workflow number::f' || n,
    'initial', jsonb_build_object('number', n),
    'created_at', made.at, 'updated_at', made.at, 'finished_at', made.at
)) AS copy"""

_ENTRIES = """\
INSERT INTO workflow_entries OVERRIDING SYSTEM VALUE
SELECT copy.* FROM generate_series(1, {size}) n, workflow_entries e,
LATERAL jsonb_populate_record(e, jsonb_build_object(
    'run_id', '01900000-0000-7000-8000-' || lpad(to_hex({size} - n), 12, '0')
)) AS copy"""


class _Filled:
    def __init__(self, run: Run, opening: float) -> None:
        self.run = run
        self.opening = opening

    async def start(self, number: int) -> None:
        from hephaestus import registry

        await registry.find("bench.Line", 1).start(str(number), {"number": number})


@asynccontextmanager
async def filled(setting: Setting, *, is_empty: bool) -> AsyncIterator[Filled]:
    """Open an app on a database that finished runs were copied into."""
    async with line(setting, make=postgres) as run:
        await run(50_000_000)
    if not is_empty:
        await _fill(setting)
    began = time.perf_counter()
    async with line(setting, make=postgres) as run:
        yield _Filled(run, time.perf_counter() - began)


async def _fill(setting: Setting) -> None:
    """Copy the one run that there is, with its history, as often as is wanted."""
    import asyncpg

    connection = await asyncpg.connect(setting.postgres)
    # The entries first: then there is one run to copy them from.
    for statement in (_ENTRIES, _RUNS):
        await connection.execute(statement.format(size=int(setting.size)))
    for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
        await connection.execute(statement)
    await connection.close()


CONTENDERS = tuple(
    Contender(
        name="empty" if is_empty else "hephaestus",
        job=FINISHED,
        title=f"Hephaestus, PostgresStorage, {'an empty table' if is_empty else 'a full table'}",
        distributions=distributions(postgres),
        open=partial(filled, is_empty=is_empty),
        ours=not is_empty,
    )
    for is_empty in (False, True)
)
