"""What the tables of a PostgreSQL must not hold when all is over, said in SQL."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from crashes.setting import Setting

_ENDED = "('completed', 'failed', 'cancelled')"
_CHECKS = {
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
    "completed twice": """
        SELECT i.id || ': ' || e.step FROM {space}.workflow_entries e
        JOIN {space}.workflow_instances i USING (run_id)
        WHERE e.action = 'completed' GROUP BY i.id, e.run_id, e.step HAVING count(*) > 1""",
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


async def faults(setting: Setting) -> list[str]:
    """Return what is wrong in the tables."""
    engine = create_async_engine(setting.storage)
    async with engine.connect() as connection:
        found = [
            f"{what}: {who}" for what in _CHECKS for who in await _ask(connection, what, setting)
        ]
    await engine.dispose()
    return found


async def _ask(connection: AsyncConnection, what: str, setting: Setting) -> list[str]:
    rows = await connection.execute(text(_CHECKS[what].format(space=setting.space)))
    return [str(row[0]) for row in rows]
