"""A revision in the user's own Alembic project."""

import sys
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus.errors import InvalidArgument
from hephaestus_postgres import revision
from hephaestus_postgres.command import main
from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.models import VERSION
from hephaestus_postgres.tables import TableNames, Tables
from migrations.catalogue import catalogue, tables_in
from migrations.project import Project, edit

ALL = {"workflow_instances", "workflow_entries", "workflow_inbox"}


@pytest.fixture
async def project(tmp_path: Path, postgres_url: str, postgres_schema: str) -> Project:
    ours = f"Migrations(start=0, target={VERSION}, schema={postgres_schema!r})"
    wanted = f"hephaestus_schema.{ours}.metadata"
    return await Project.made(tmp_path, postgres_url, postgres_schema, wanted)


def write(project: Project, schema: str | None = None, names: TableNames = TableNames()) -> Path:  # noqa: B008  # a value
    return revision.write(names, schema, config=str(project.ini))


async def ours(engine: AsyncEngine, schema: str) -> set[object]:
    """Return the names of the tables apart from Alembic's own."""
    return await tables_in(engine, schema) - {"alembic_version"}


async def test_from_a_shell_it_is_written_upgraded_and_downgraded(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator, project: Project
) -> None:
    printed = await project.shell("hephaestus_postgres", "revision", "--schema", postgres_schema)

    await project.shell("alembic", "upgrade", "head")
    await migrator.check()
    up = await ours(engine, postgres_schema)
    await project.shell("alembic", "downgrade", "base")
    down = await ours(engine, postgres_schema)

    assert (ALL, set()) == (up, down)
    assert [Path(printed.strip())] == project.revisions


async def test_the_schema_is_that_of_migrate(
    engine: AsyncEngine, postgres_schema: str, project: Project
) -> None:
    names = TableNames("runs", "order", "user")
    migrator = Migrator(engine, Tables.named(names, postgres_schema))
    await project.alembic(command.stamp, "base")
    await migrator.migrate()
    migrated = await catalogue(engine, postgres_schema)
    await migrator.migrate(0)
    write(project, postgres_schema, names)

    await project.alembic(command.upgrade, "head")

    assert migrated == await catalogue(engine, postgres_schema)


async def test_it_can_go_up_again_after_it_went_down(
    postgres_schema: str, migrator: Migrator, project: Project
) -> None:
    write(project, postgres_schema)
    await project.alembic(command.upgrade, "head")
    await project.alembic(command.downgrade, "base")

    await project.alembic(command.upgrade, "head")

    await migrator.check()


async def test_alembic_takes_the_tables_for_wanted(postgres_schema: str, project: Project) -> None:
    write(project, postgres_schema)
    await project.alembic(command.upgrade, "head")

    assert "No new upgrade operations" in await project.alembic(command.check)


async def test_it_follows_the_current_head(postgres_schema: str, project: Project) -> None:
    await project.alembic(command.revision, "orders", rev_id="abc123")

    path = write(project, postgres_schema)

    text = path.read_text("utf-8")
    assert "= 'abc123'" in text
    assert (
        f"hephaestus_schema.Migrations(start=0, target={VERSION}, schema='{postgres_schema}'"
        in text
    )


async def test_the_file_is_made_of_the_project_s_template(project: Project) -> None:
    template = project.folder / "migrations" / "script.py.mako"
    edit(template, ("revision identifiers", "revision identifiers, in the style of our house"))

    path = write(project)

    assert [path] == project.revisions
    assert "in the style of our house" in path.read_text("utf-8")
    assert path.name.endswith(f"_hephaestus_workflow_instances_{VERSION}.py")


async def test_a_template_without_a_place_for_it_is_told(project: Project) -> None:
    edit(project.folder / "migrations" / "script.py.mako", ("${imports", "${''"))

    with pytest.raises(InvalidArgument, match="has no place for imports"):
        write(project)


async def test_the_folder_of_versions_is_made_if_needed(project: Project) -> None:
    (project.folder / "migrations" / "versions").rmdir()

    write(project)

    assert 1 == len(project.revisions)


async def test_a_second_one_for_the_same_tables_is_refused(project: Project) -> None:
    write(project)

    with pytest.raises(InvalidArgument, match=rf"lead to version {VERSION} already; nothing was"):
        write(project)

    assert 1 == len(project.revisions)


async def test_one_for_other_tables_is_written(postgres_schema: str, project: Project) -> None:
    write(project)
    write(project, postgres_schema)

    write(project, postgres_schema, TableNames(inbox="letters"))

    assert 3 == len(project.revisions)


async def test_as_sql_it_makes_the_same_schema(
    postgres_url: str,
    engine: AsyncEngine,
    postgres_schema: str,
    migrator: Migrator,
    project: Project,
) -> None:
    await migrator.migrate()
    migrated = await catalogue(engine, postgres_schema)
    await migrator.migrate(0)
    head = write(project, postgres_schema).name.partition("_")[0]

    up = await project.alembic(command.upgrade, "head", sql=True)
    down = await project.alembic(command.downgrade, f"{head}:base", sql=True)

    await run(postgres_url, without_alembic(up))
    assert migrated == await catalogue(engine, postgres_schema)
    await run(postgres_url, without_alembic(down))
    assert set() == await tables_in(engine, postgres_schema)


async def test_what_was_migrated_before_is_left_as_it_is(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator, project: Project
) -> None:
    await project.alembic(command.stamp, "base")
    await migrator.migrate()
    before = await catalogue(engine, postgres_schema)
    write(project, postgres_schema)

    await project.alembic(command.upgrade, "head")

    assert before == await catalogue(engine, postgres_schema)


async def test_what_is_gone_already_needs_no_downgrade(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator, project: Project
) -> None:
    write(project, postgres_schema)
    await project.alembic(command.upgrade, "head")
    await migrator.migrate(0)

    await project.alembic(command.downgrade, "base")

    assert set() == await ours(engine, postgres_schema)


async def test_a_lost_comment_is_repaired(
    engine: AsyncEngine, postgres_schema: str, migrator: Migrator, project: Project
) -> None:
    await migrator.migrate()
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            f"COMMENT ON TABLE {postgres_schema}.workflow_instances IS NULL"
        )
    write(project, postgres_schema)

    await project.alembic(command.upgrade, "head")

    await migrator.check()


async def test_a_comment_of_somebody_else_ends_the_upgrade(
    engine: AsyncEngine, postgres_schema: str, project: Project
) -> None:
    name = f"{postgres_schema}.workflow_instances"
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"CREATE TABLE {name} ()")
        await connection.exec_driver_sql(f"COMMENT ON TABLE {name} IS 'of the shop'")
    write(project, postgres_schema)

    with pytest.raises(InvalidArgument, match="'of the shop'"):
        await project.alembic(command.upgrade, "head")


async def test_a_schema_that_is_missing_ends_the_upgrade(project: Project) -> None:
    write(project, "nowhere")

    with pytest.raises(InvalidArgument, match="no schema 'nowhere'"):
        await project.alembic(command.upgrade, "head")


async def test_several_heads_ask_for_a_choice(project: Project) -> None:
    for name in ("one", "two"):
        await project.alembic(command.revision, name, rev_id=name, head="base", splice=True)

    with pytest.raises(InvalidArgument, match="alembic: Multiple heads"):
        write(project)
    path = revision.write(config=str(project.ini), head="two")

    assert "= 'two'" in path.read_text("utf-8")


async def test_the_settings_may_be_named_by_alembic_s_own_variable(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALEMBIC_CONFIG", str(project.ini))

    path = revision.write()

    assert [path] == project.revisions


def test_where_no_project_is_the_error_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    status = main(["revision"])

    sentence = "no Alembic project here: 'alembic.ini' is missing; name it with --config, or make"
    assert 1 == status
    assert ("", f"error: {sentence} one with `alembic init`\n") == capsys.readouterr()


def test_settings_without_a_project_are_told(tmp_path: Path) -> None:
    settings = tmp_path / "other.ini"
    settings.write_text("[alembic]\n", "utf-8")

    with pytest.raises(InvalidArgument, match=r"^alembic: .*script_location"):
        revision.write(config=str(settings))


def test_without_alembic_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alembic.util", None)

    with pytest.raises(InvalidArgument, match=r"install 'hephaestus-postgres\[alembic\]'"):
        revision.write()


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="whole number from 0"):
        revision.write(version=VERSION + 1)


def without_alembic(script: str) -> str:
    """Return the SQL without what concerns Alembic's own table."""
    return ";".join(each for each in script.split(";") if "alembic_version" not in each)


async def run(postgres_url: str, script: str) -> None:
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        await connection.execute(script)
    finally:
        await connection.close()
