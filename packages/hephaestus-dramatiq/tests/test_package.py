"""The distribution imports, and has one version."""

import runpy
import tomllib
from pathlib import Path

import hephaestus_dramatiq

PACKAGE = Path(__file__).parent.parent


def test_the_version_is_the_one_that_the_build_reads() -> None:
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))

    source = runpy.run_path(str(PACKAGE / project["tool"]["hatch"]["version"]["path"]))

    assert source["__version__"] == hephaestus_dramatiq.__version__


def test_the_public_names_are_pinned() -> None:
    assert [
        "DramatiqRunner",
        "HephaestusMiddleware",
        "Route",
        "UnreadableMessage",
        "__version__",
    ] == hephaestus_dramatiq.__all__


def test_every_public_name_is_documented() -> None:
    names = [name for name in hephaestus_dramatiq.__all__ if name != "__version__"]

    assert all(getattr(hephaestus_dramatiq, name).__doc__ for name in names)
