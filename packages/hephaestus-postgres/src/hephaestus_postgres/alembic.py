"""What a revision of the user's own Alembic project runs; `revision.py` writes such a revision.

    from hephaestus_postgres import alembic as hephaestus

    hephaestus_steps = hephaestus.Steps(start=0, target=1)

    def upgrade() -> None:
        hephaestus.upgrade(hephaestus_steps)

    def downgrade() -> None:
        hephaestus.downgrade(hephaestus_steps)

Alembic compares a database with the metadata that `env.py` names, and would drop what it does not
find there: have `target_metadata = [Base.metadata, hephaestus.Steps(start=0, target=1).metadata]`,
unless the tables are among your own models.
"""

from typing import NamedTuple

from alembic import op
from sqlalchemy import MetaData, text

from hephaestus_postgres.migrations.found import Found, look_in_schema
from hephaestus_postgres.migrations.plan import Change, Plan
from hephaestus_postgres.tables import DEFAULT, TableNames, Tables


class Steps(NamedTuple):
    """Which of the numbered steps one revision takes, and for which tables."""

    start: int
    """The version before."""

    target: int
    """The version after."""

    schema: str | None = None
    """Where the tables are; None for where the search path of the connection leads."""

    instances: str = DEFAULT.instances
    entries: str = DEFAULT.entries
    inbox: str = DEFAULT.inbox

    @property
    def tables(self) -> Tables:
        """The tables that these names mean."""
        return Tables.named(TableNames(self.instances, self.entries, self.inbox), self.schema)

    @property
    def metadata(self) -> MetaData:
        """What to give Alembic beside your own, so that it takes the tables for wanted."""
        return self.tables.metadata


def upgrade(steps: Steps) -> None:
    """Bring the schema up to the target, and do nothing where it is there or past it.

    Raises:
        InvalidArgument: The table bears somebody else's comment, there is no such schema, or this
            release knows no such version.
    """
    plan = Plan(steps.tables)
    found = _found(steps, plan, assumed=steps.start)
    _run(plan.changes(min(found.version, steps.target), steps.target, found.schema))


def downgrade(steps: Steps) -> None:
    """Bring the schema back to the start, and do nothing where it is there or before it.

    Raises:
        InvalidArgument: As for `upgrade`.
    """
    plan = Plan(steps.tables)
    found = _found(steps, plan, assumed=steps.target)
    _run(plan.changes(max(found.recorded, steps.start), steps.start, found.schema))


def _found(steps: Steps, plan: Plan, assumed: int) -> Found:
    """Look once nobody else changes the schema; where Alembic only writes SQL, assume."""
    _execute(plan.lock)
    if op.get_context().as_sql:
        return Found(steps.schema, assumed, is_complete=True)
    return look_in_schema(op.get_bind(), steps.tables)


def _run(changes: list[Change]) -> None:
    for change in changes:
        for statement in change.statements:
            _execute(statement)


def _execute(statement: str) -> None:
    op.execute(text(statement.replace(":", r"\:")))
