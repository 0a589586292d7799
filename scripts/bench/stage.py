"""Plays a role, in a process of its own: `python -m bench.stage JOB CONTENDER SETTING ROLE`."""

import asyncio
import json
import sys

from bench import marks, registry
from bench.contract import Contender, Setting


def main(job: str, name: str, setting: str, role: str) -> None:
    """Play a role."""
    marks.take_stdout()
    contender = registry.find(job, name)
    asyncio.run(_play(contender, Setting(**json.loads(setting)), role))


async def _play(contender: Contender, setting: Setting, role: str) -> None:
    async with contender.open(setting) as opened:
        roles = contender.job.roles or {}
        await roles[role](opened, setting)


if __name__ == "__main__":
    main(*sys.argv[1:])
