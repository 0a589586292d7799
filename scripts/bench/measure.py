"""One measurement, in a process of its own: `python -m bench.measure JOB CONTENDER SIZE`.

It prints a line of JSON: the figures and the versions, or what is missing.
"""

import asyncio
import importlib.metadata
import json
import sys
from typing import Any

from bench import registry
from bench.contract import Contender, Figures


def main(job: str, name: str, size: str) -> None:
    """Measure, and print what came of it."""
    contender = registry.find(job, name)
    print(json.dumps(outcome(contender, int(size))))


def outcome(contender: Contender, size: int) -> dict[str, Any]:
    """Return the figures and versions, or why there are none."""
    try:
        figures = asyncio.run(_measure(contender, size))
    except ImportError as error:
        return {"missing": str(error)}
    versions = {name: importlib.metadata.version(name) for name in contender.distributions}
    return {"figures": dict(figures), "versions": versions}


async def _measure(contender: Contender, size: int) -> Figures:
    async with contender.open() as run:
        return await contender.job.measure(run, size)


if __name__ == "__main__":
    main(*sys.argv[1:])
