"""An idle app of Temporal: without a server it gets no further."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

from bench import machine


@activity.defn
async def first(number: int) -> int:
    """Do a little."""
    return number


@workflow.defn
class Line:
    """One activity."""

    @workflow.run
    async def run(self, number: int) -> int:
        """Take one step."""
        result: int = await workflow.execute_activity(
            first, number, start_to_close_timeout=timedelta(seconds=5)
        )
        return result


async def main() -> None:
    """Connect as far as can be, and tell."""
    client = await Client.connect("127.0.0.1:7233", lazy=True)
    assert Worker  # noqa: S101 - it is imported, and needs a server for more
    await asyncio.sleep(1)
    print(machine.megabytes() if client else 0)


asyncio.run(main())
