"""What the tables of a PostgreSQL must not hold, said in SQL: at no time, and when all is over."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from asyncpg.exceptions import InterfaceError, PostgresError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from crashes.setting import Setting

_ENDED = "('completed', 'failed', 'cancelled')"
_GLANCE = 0.5
_AWAY = (DBAPIError, PostgresError, InterfaceError, OSError)
_ALWAYS = {
    "finished with leases": f"""
        SELECT id FROM {{space}}.workflow_instances
        WHERE status IN {_ENDED} AND (leases <> '{{{{}}}}' OR lease_ends IS NOT NULL)""",
    "finished and due": f"""
        SELECT id FROM {{space}}.workflow_instances
        WHERE status IN {_ENDED} AND (wake_at IS NOT NULL OR due_at IS NOT NULL)""",
    "running without wake_at": f"""
        SELECT id FROM {{space}}.workflow_instances
        WHERE status NOT IN {_ENDED} AND wake_at IS NULL
            AND (status IN ('pending', 'running') OR state->>'active' LIKE '%deadline%')""",
    "completed twice": """
        SELECT i.id || ': ' || e.step FROM {space}.workflow_entries e
        JOIN {space}.workflow_instances i USING (run_id)
        WHERE e.action = 'completed' GROUP BY i.id, e.run_id, e.step HAVING count(*) > 1""",
}
_IN_THE_END = _ALWAYS | {
    "unfinished and holding leases": f"""
        SELECT id FROM {{space}}.workflow_instances
        WHERE status NOT IN {_ENDED} AND leases <> '{{{{}}}}'""",
    "in the inbox": """
        SELECT coalesce(i.id, m.run_id) || ': ' || m.id FROM {space}.workflow_inbox m
        LEFT JOIN {space}.workflow_instances i USING (run_id)
        WHERE m.body IS NOT NULL OR i.run_id IS NULL""",
    "a history without a run": """
        SELECT e.run_id FROM {space}.workflow_entries e
        LEFT JOIN {space}.workflow_instances i USING (run_id) WHERE i.run_id IS NULL""",
    "not booked once": """
        SELECT i.id FROM {space}.workflow_instances i
        LEFT JOIN {space}.crash_effects b USING (run_id)
        WHERE i.workflow LIKE '%Booking' GROUP BY i.run_id HAVING count(b.run_id) <> 1""",
    "booked without a run": """
        SELECT b.run_id FROM {space}.crash_effects b
        LEFT JOIN {space}.workflow_instances i USING (run_id) WHERE i.run_id IS NULL""",
}


async def prepare(setting: Setting) -> None:
    """Make the table that transactional steps write into."""
    engine = create_async_engine(setting.storage)
    async with engine.begin() as connection:
        await connection.execute(text(f"CREATE TABLE {setting.effects} (run_id text NOT NULL)"))
    await engine.dispose()


async def watch(setting: Setting, found: set[str]) -> None:
    """Look for what must be at no time, again and again, until cancelled."""
    while setting.is_transactional:
        with suppress(*_AWAY):
            found.update(await faults(setting, _ALWAYS))
        await asyncio.sleep(_GLANCE)


async def faults(setting: Setting, checks: Iterable[str] = _IN_THE_END) -> list[str]:
    """Return what is wrong in the tables."""
    engine = create_async_engine(setting.storage)
    try:
        async with engine.connect() as connection:
            return [
                f"{what}: {who}" for what in checks for who in await _ask(connection, what, setting)
            ]
    finally:
        await engine.dispose()


async def _ask(connection: AsyncConnection, what: str, setting: Setting) -> list[str]:
    rows = await connection.execute(text(_IN_THE_END[what].format(space=setting.space)))
    return [str(row[0]) for row in rows]
