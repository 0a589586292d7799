"""The distribution imports, and has one version."""

import runpy
import tomllib
from pathlib import Path

import hephaestus_postgres
from hephaestus.storage import HasSchema

PACKAGE = Path(__file__).parent.parent


def test_the_version_is_the_one_that_the_build_reads() -> None:
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))

    source = runpy.run_path(str(PACKAGE / project["tool"]["hatch"]["version"]["path"]))

    assert source["__version__"] == hephaestus_postgres.__version__


def test_the_public_names_are_pinned() -> None:
    assert [
        "EntryMixin",
        "InboxMixin",
        "InstanceMixin",
        "PostgresStorage",
        "TableNames",
        "__version__",
    ] == hephaestus_postgres.__all__


def test_the_command_of_the_core_can_migrate_it() -> None:
    assert issubclass(hephaestus_postgres.PostgresStorage, HasSchema)
