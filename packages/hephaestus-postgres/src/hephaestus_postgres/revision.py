"""Writes a revision into the user's Alembic project, with that project's template and settings."""

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hephaestus.errors import InvalidArgument
from hephaestus_postgres.migrations.plan import Plan
from hephaestus_postgres.models import VERSION
from hephaestus_postgres.tables import DEFAULT, TableNames, Tables

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

    from hephaestus_postgres.alembic import Migrations

_VARIABLE = "hephaestus_migrations"


def write(
    names: TableNames = DEFAULT,
    schema: str | None = None,
    *,
    version: int = VERSION,
    config: str | None = None,
    folder: str | None = None,
    head: str = "head",
) -> Path:
    """Write a revision after the current head, and return its path.

    It begins with the version at which the project's other revisions for these tables end.

    Args:
        names: What the tables are called.
        schema: Where they are; None for where the search path leads.
        version: Where the revision leads to.
        config: Alembic's settings, by default those that its own command would read.
        folder: The folder of versions, for a project that has several.
        head: After which revision, for a project that has several heads.

    Raises:
        InvalidArgument: Alembic or its project is missing, there is such a revision already, or
            a name or the version is not valid.
    """
    Plan(Tables.named(names, schema)).check(version)
    with _mapped():
        from hephaestus_postgres.alembic import Migrations

        project = _project(config)
        wanted = Migrations(_end_of_those_of(project, names, schema), version, schema, *names)
        if wanted.start >= version:
            raise InvalidArgument(
                f"the revisions in {project.dir} lead to version {wanted.start} already; "
                f"nothing was written"
            )
        return _generated(project, wanted, folder, head)


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        from alembic.util import CommandError
    except ImportError as error:
        raise InvalidArgument(
            "a revision needs Alembic: install 'hephaestus-postgres[alembic]'"
        ) from error
    try:
        yield
    except CommandError as error:
        raise InvalidArgument(f"alembic: {error}") from error


def _project(config: str | None) -> "ScriptDirectory":
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    file = Path(config or os.environ.get("ALEMBIC_CONFIG") or "alembic.ini")
    is_toml = file.suffix == ".toml"
    if not file.exists() and (is_toml or config is not None or not Path("pyproject.toml").exists()):
        raise InvalidArgument(
            f"no Alembic project here: {str(file)!r} is missing; name it with --config, or make "
            f"one with `alembic init`"
        )
    ini, toml = ("alembic.ini", file) if is_toml else (file, "pyproject.toml")
    return ScriptDirectory.from_config(Config(ini, toml, cmd_opts=Namespace(quiet=True)))


def _end_of_those_of(project: "ScriptDirectory", names: TableNames, schema: str | None) -> int:
    from hephaestus_postgres.alembic import Migrations

    values = (
        value for script in project.walk_revisions() for value in vars(script.module).values()
    )
    targets = (
        value.target
        for value in values
        if isinstance(value, Migrations) and value[2:] == (schema, *names)
    )
    return max(targets, default=0)


def _generated(
    project: "ScriptDirectory", migrations: "Migrations", folder: str | None, head: str
) -> Path:
    from alembic.util import rev_id

    arguments = ", ".join(f"{name}={value!r}" for name, value in migrations._asdict().items())
    script = project.generate_revision(
        rev_id(),
        f"hephaestus {migrations.instances} {migrations.target}",
        head=head,
        version_path=folder,
        imports=(
            "from hephaestus_postgres import alembic as hephaestus_schema\n\n"
            f"{_VARIABLE} = hephaestus_schema.Migrations({arguments})"
        ),
        upgrades=f"hephaestus_schema.upgrade({_VARIABLE})",
        downgrades=f"hephaestus_schema.downgrade({_VARIABLE})",
    )
    if script is None or not hasattr(script.module, _VARIABLE):
        raise InvalidArgument(
            f"the template {project.dir}/script.py.mako has no place for imports, upgrades and "
            f"downgrades, so that the revision does nothing; remove it and mend the template"
        )
    return Path(script.path)
