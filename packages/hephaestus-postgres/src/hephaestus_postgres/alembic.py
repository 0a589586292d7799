"""What a revision of the user's own Alembic project runs; `revision.py` writes such a revision.

    from hephaestus_postgres import alembic as hephaestus_schema

    hephaestus_migrations = hephaestus_schema.Migrations(start=0, target=1)

    def upgrade() -> None:
        hephaestus_schema.upgrade(hephaestus_migrations)

    def downgrade() -> None:
        hephaestus_schema.downgrade(hephaestus_migrations)

Alembic compares a database with the metadata that `env.py` names, and would drop what it does not
find there. Unless the tables are among your own models, have

    ours = hephaestus_schema.Migrations(start=0, target=1).metadata
    target_metadata = [Base.metadata, ours]
"""

from typing import NamedTuple

from alembic import op
from sqlalchemy import MetaData, text

from hephaestus_postgres.migrations.found import Found, look_in_schema
from hephaestus_postgres.migrations.plan import Change, Plan
from hephaestus_postgres.tables import DEFAULT, TableNames, Tables


class Migrations(NamedTuple):
    """Which of the numbered migrations one revision takes, and for which tables."""

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


def upgrade(migrations: Migrations) -> None:
    """Bring the schema up to the target, and do nothing where it is there or past it.

    Raises:
        InvalidArgument: The table bears somebody else's comment, there is no such schema, or this
            release knows no such version.
    """
    plan = Plan(migrations.tables)
    found = _found(migrations, plan, assumed=migrations.start)
    _run(plan.changes(min(found.version, migrations.target), migrations.target, found.schema))


def downgrade(migrations: Migrations) -> None:
    """Bring the schema back to the start, and do nothing where it is there or before it.

    Raises:
        InvalidArgument: As for `upgrade`.
    """
    plan = Plan(migrations.tables)
    found = _found(migrations, plan, assumed=migrations.target)
    _run(plan.changes(max(found.recorded, migrations.start), migrations.start, found.schema))


def _found(migrations: Migrations, plan: Plan, assumed: int) -> Found:
    """Look once nobody else changes the schema; where Alembic only writes SQL, assume."""
    _execute(plan.lock)
    if op.get_context().as_sql:
        return Found(migrations.schema, assumed, is_complete=True)
    return look_in_schema(op.get_bind(), migrations.tables)


def _run(changes: list[Change]) -> None:
    for change in changes:
        for statement in change.statements:
            _execute(statement)


def _execute(statement: str) -> None:
    op.execute(text(statement.replace(":", r"\:")))
