"""Try one installed package, with nothing beside it but its own dependencies.

    python -I smoke.py hephaestus-core hephaestus 0.1.0 [EXTRAS]

The interpreter is that of the environment in which the package is installed.
"""

import asyncio
import importlib
import importlib.metadata
import importlib.resources
import pkgutil
import sys


def main(distribution: str, module: str, version: str, extras: str = "") -> None:
    """Import what users import; with the core's own extras, import every module that there is."""
    package = importlib.import_module(module)
    assert version == importlib.metadata.version(distribution)
    assert version == importlib.import_module(f"{module}.__about__").__version__
    assert importlib.resources.files(package).joinpath("py.typed").is_file()
    missing = [name for name in package.__all__ if not hasattr(package, name)]
    assert not missing, f"{module}.__all__ names what is not there: {missing}"
    if "testing" in extras:
        for found in pkgutil.walk_packages(package.__path__, f"{module}."):
            importlib.import_module(found.name)
    if module == "hephaestus":
        asyncio.run(run_a_workflow())


async def run_a_workflow() -> None:
    """Take one run from its start to its end."""
    from hephaestus import Done, Hephaestus, StepContext, Workflow, step

    @step
    async def double(ctx: StepContext) -> dict[str, int]:
        return {"number": ctx.initial["number"] * 2}

    class Doubling(Workflow, unique="number"):
        start_step = double
        transitions = {double: {"done": Done}}  # as users write it

    async with Hephaestus():
        doubling = await Doubling.start("one", {"number": 21})
        assert {"number": 42} == await doubling.result(timeout=10)


if __name__ == "__main__":
    main(*sys.argv[1:])
