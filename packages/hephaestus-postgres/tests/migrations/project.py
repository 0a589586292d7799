"""A throw-away project with Alembic."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from alembic import command
from alembic.config import Config

LOGGING = "fileConfig(config.config_file_name)"
"""What the template does, and would disturb the other tests."""


class Project(NamedTuple):
    """A folder with an alembic.ini, for one schema of a database."""

    folder: Path

    @classmethod
    async def made(
        cls, folder: Path, url: str, schema: str, metadata: str, *, by_path: bool = False
    ) -> "Project":
        """Make one as a user would, with Alembic's template for asyncio.

        Args:
            folder: Where.
            url: Of the database.
            schema: Of the tables, and of that of Alembic.
            metadata: An expression for `target_metadata`.
            by_path: Whether the metadata names no schema, so that the search path has to.
        """
        project = cls(folder)
        await project.alembic(command.init, str(folder / "migrations"), template="async")
        edit(
            project.ini,
            ("driver://user:pass@localhost/dbname", url.replace("%", "%%")),
            ("prepend_sys_path = .", ""),
        )
        edit(
            folder / "migrations" / "env.py",
            (
                "from alembic import context",
                f"from alembic import context\n{MODELS if by_path else IMPORTS}",
            ),
            (LOGGING, "pass"),
            (POOL, PATH.format(schema=schema) if by_path else POOL),
            (BY_PATH, BY_PATH if by_path else BY_NAME.format(schema=schema)),
            ("target_metadata = None", f"target_metadata = {metadata}"),
        )
        return project

    @property
    def ini(self) -> Path:
        """Alembic's settings."""
        return self.folder / "alembic.ini"

    @property
    def revisions(self) -> list[Path]:
        """The files in the folder of versions."""
        return sorted((self.folder / "migrations" / "versions").glob("*.py"))

    async def alembic(self, verb: Callable[..., object], *args: Any, **options: Any) -> str:
        """Run one of Alembic's commands, and return what it printed."""
        printed = StringIO()
        config = Config(self.ini, stdout=printed, output_buffer=printed)
        await asyncio.to_thread(verb, config, *args, **options)  # it has an event loop of its own
        return printed.getvalue()

    async def shell(self, module: str, *words: str) -> str:
        """Run a module as a process in the folder, and return what it printed."""
        ended = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", module, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == ended.returncode, ended.stderr
        return str(ended.stdout)


IMPORTS = "from hephaestus_postgres import alembic as hephaestus_schema"
MODELS = "from migrations import shop"
POOL = "poolclass=pool.NullPool"
PATH = POOL + ", connect_args={{'server_settings': {{'search_path': {schema!r}}}}}"
BY_PATH = "target_metadata=target_metadata"
BY_NAME = (
    "target_metadata=target_metadata, version_table_schema={schema!r}, include_schemas=True, "
    "include_name=lambda name, kind, parents: kind != 'schema' or name == {schema!r}"
)


def edit(file: Path, *changes: tuple[str, str]) -> None:
    """Replace each of the texts, all of which are there."""
    text = file.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
