"""Three trivial steps in a line, in memory: what an engine itself costs."""

from functools import partial

from bench.contract import Aim, Job
from bench.drive import PER_WORKFLOW, cost
from bench.jobs.line import IN_FLIGHT, STEPS, add_steps

MEMORY = Job(
    name="memory",
    title=f"{STEPS} trivial async steps in memory, {IN_FLIGHT} workflows in flight, one process",
    compared=PER_WORKFLOW,
    size=5_000,
    quick_size=1_000,
    measure=partial(cost, in_flight=IN_FLIGHT, steps=STEPS, result=add_steps),
    aims=(Aim(text="≤ 150 µs", figure=PER_WORKFLOW, at_most=150),),
)

JOBS = (MEMORY,)
