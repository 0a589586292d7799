"""Three trivial steps in a line, in memory: what an engine itself costs."""

from functools import partial

from bench.contract import Job
from bench.throughput import PER_WORKFLOW, throughput

STEPS = 3
IN_FLIGHT = 100


def add_steps(number: int) -> int:
    """Return the result of a workflow whose every step adds one."""
    return number + STEPS


LINE = Job(
    name="line",
    title=f"{STEPS} trivial async steps in memory, {IN_FLIGHT} workflows in flight, one process",
    compared=PER_WORKFLOW,
    size=5_000,
    quick_size=1_000,
    result=add_steps,
    measure=partial(throughput, in_flight=IN_FLIGHT, steps=STEPS, result=add_steps),
)
