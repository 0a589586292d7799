"""The tables among an application's own models."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import NullPool

from hephaestus.errors import InvalidArgument
from hephaestus_postgres import PostgresStorage
from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.models import EntryMixin, InboxMixin, InstanceMixin
from hephaestus_postgres.tables import TableNames, Tables
from migrations.catalogue import Catalogue, catalogue, tables_in
from migrations.order import COMPLETED, run_through
from migrations.project import Project
from migrations.shop import Base, Letter, Line, Order, Run

SHOP = Tables.of(Run, Line, Letter)
NAMES = TableNames("order_runs", "order_run_lines", "order_run_letters")
OWN = ("orders", "order_number", "alembic_version")


@pytest.fixture
async def engine(postgres_url: str, postgres_schema: str) -> AsyncIterator[AsyncEngine]:
    """Return one whose search path leads to the schema, as the models name none."""
    settings = {"server_settings": {"search_path": postgres_schema}}
    engine = create_async_engine(postgres_url, poolclass=NullPool, connect_args=settings)
    yield engine
    await engine.dispose()


@pytest.fixture
async def project(tmp_path: Path, postgres_url: str, postgres_schema: str) -> Project:
    wanted = "shop.Base.metadata"
    return await Project.made(tmp_path, postgres_url, postgres_schema, wanted, by_path=True)


async def create_all(engine: AsyncEngine, metadata: MetaData) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


def without_own(found: Catalogue) -> Catalogue:
    """Return what the application did not add."""
    return {
        part: [row for row in rows if not any(word in str(row) for word in OWN)]
        for part, rows in found.items()
    }


async def test_what_the_application_creates_is_what_migrate_would(
    engine: AsyncEngine, postgres_schema: str
) -> None:
    named = Migrator(engine, Tables.named(NAMES))
    await named.migrate()
    migrated = await catalogue(engine, postgres_schema)
    await named.migrate(0)

    await create_all(engine, Base.metadata)

    assert migrated == without_own(await catalogue(engine, postgres_schema))
    await Migrator(engine, SHOP).check()


async def test_alembic_finds_no_difference_to_what_the_application_creates(
    engine: AsyncEngine, project: Project
) -> None:
    await create_all(engine, Base.metadata)

    assert "No new upgrade operations" in await project.alembic(command.check)


async def test_a_revision_that_alembic_generates_creates_them(
    engine: AsyncEngine, postgres_schema: str, project: Project
) -> None:
    await create_all(engine, Base.metadata)
    created = await catalogue(engine, postgres_schema)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
    await project.alembic(command.revision, "models", autogenerate=True)

    await project.alembic(command.upgrade, "head")

    assert "No new upgrade operations" in await project.alembic(command.check)
    assert without_own(created) == without_own(await catalogue(engine, postgres_schema))
    await Migrator(engine, SHOP).check()


async def test_a_revision_that_alembic_generates_takes_them_back(
    engine: AsyncEngine, project: Project
) -> None:
    await project.alembic(command.revision, "models", autogenerate=True)
    await project.alembic(command.upgrade, "head")

    await project.alembic(command.downgrade, "base")

    assert 0 == await Migrator(engine, SHOP).version()


async def test_models_may_stand_for_tables_that_migrate_has_made(
    engine: AsyncEngine, postgres_schema: str
) -> None:
    migrator = Migrator(engine, SHOP)

    await migrator.migrate()

    await migrator.check()
    assert set(NAMES) == await tables_in(engine, postgres_schema)


async def test_a_storage_works_on_them(engine: AsyncEngine) -> None:
    await create_all(engine, Base.metadata)
    storage = PostgresStorage.from_models(engine, instances=Run, entries=Line, inbox=Letter)

    completed = await run_through(storage)

    assert COMPLETED == completed


async def test_a_name_that_those_of_indexes_cannot_be_made_of_is_only_migrated_by_its_owner(
    engine: AsyncEngine,
) -> None:
    class Models(DeclarativeBase):
        pass

    class WorkflowRun(InstanceMixin, Models):
        __tablename__ = "WorkflowRun"

    class WorkflowLine(EntryMixin, Models):
        __tablename__ = "WorkflowLine"

    class WorkflowLetter(InboxMixin, Models):
        __tablename__ = "WorkflowLetter"

    migrator = Migrator(engine, Tables.of(WorkflowRun, WorkflowLine, WorkflowLetter))

    with pytest.raises(InvalidArgument, match="lower-case letters"):
        await migrator.migrate()
    await create_all(engine, Models.metadata)
    await migrator.check()


@pytest.mark.parametrize(
    ("models", "mixin"),
    [
        ((Order, Line, Letter), "InstanceMixin"),
        ((Run, Letter, Line), "EntryMixin"),
        ((Run, Line, "Letter"), "InboxMixin"),
    ],
)
def test_a_model_without_its_mixin_is_refused(models: tuple[type, type, type], mixin: str) -> None:
    with pytest.raises(InvalidArgument, match=mixin):
        Tables.of(*models)
