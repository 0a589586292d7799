"""An idle app of Prefect: a flow that nobody runs."""

import time

from prefect import flow, task

from bench import machine


@task
async def first(number: int) -> int:
    """Do a little."""
    return number


@flow
async def line(number: int) -> int:
    """Take one step."""
    result: int = await first(number)
    return result


time.sleep(1)
print(machine.megabytes())
