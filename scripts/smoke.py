"""Try one installed package, with nothing beside it but its own dependencies.

    python -I smoke.py hephaestus-core hephaestus 0.1.0 [EXTRAS]

The interpreter is that of the environment in which the package is installed.
"""

import importlib
import importlib.metadata
import importlib.resources
import pkgutil
import sys


def main(distribution: str, module: str, version: str, extras: str = "") -> None:
    """Import the package as its users do; with its own extras, import every module that it has."""
    package = importlib.import_module(module)
    assert version == importlib.metadata.version(distribution)
    assert version == importlib.import_module(f"{module}.__about__").__version__
    assert importlib.resources.files(package).joinpath("py.typed").is_file()
    missing = [name for name in package.__all__ if not hasattr(package, name)]
    assert not missing, f"{module}.__all__ names what is not there: {missing}"
    if "testing" in extras:
        for found in pkgutil.walk_packages(package.__path__, f"{module}."):
            importlib.import_module(found.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
