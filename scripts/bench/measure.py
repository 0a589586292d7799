"""One measurement, in a process of its own: `python -m bench.measure JOB CONTENDER SETTING`.

It prints lines of JSON: its marks, and then the figures and the versions, or what is missing.
"""

import asyncio
import importlib.metadata
import json
import os
import sys
from typing import Any

from bench import marks, registry
from bench.contract import Contender, Figures, Setting


def main(job: str, name: str, setting: str) -> None:
    """Measure, and print what came of it."""
    marks.take_stdout()
    contender, given = registry.find(job, name), Setting(**json.loads(setting))
    if contender.is_pinned:
        _pin(given.part)
    marks.tell(outcome(contender, given))


def outcome(contender: Contender, setting: Setting) -> dict[str, Any]:
    """Return the figures and versions, or why there are none."""
    try:
        figures = asyncio.run(_measure(contender, setting))
    except ImportError as error:
        return {"missing": str(error)}
    versions = {name: _version(name) for name in contender.distributions}
    return {"figures": dict(figures), "versions": versions}


async def _measure(contender: Contender, setting: Setting) -> Figures:
    if contender.job.roles:
        return await contender.job.measure(contender, setting)
    async with contender.open(setting) as opened:
        return await contender.job.measure(opened, setting)


def _pin(part: int) -> None:
    """Keep this process on a core, another one for each who shares the work."""
    if sys.platform == "linux":  # elsewhere it runs free, and says so by its figures
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[part % len(cores)]})


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "from a path"


if __name__ == "__main__":
    main(*sys.argv[1:])
