"""Which lines of steps need a thread."""

import pytest

from hephaestus import Done, StepContext, Wait, WaitForEvent, Workflow, step
from hephaestus_dramatiq.lines import needs_thread


@step
async def pack(ctx: StepContext) -> None:
    """Need no thread."""


@step
def weigh(ctx: StepContext) -> None:
    """Run in a thread."""


@step(transactional=True)
async def book(ctx: StepContext) -> None:
    """Hold a connection."""


@step
async def send(ctx: StepContext) -> None:
    """Need no thread."""


rest = Wait(1)


class Weighed(Workflow, unique="weighed"):
    """A plain step, after which a timer and another step need none."""

    start_step = pack
    transitions = {
        pack: {"done": weigh},
        weigh: {"done": rest},
        rest: {"timeout": send},
        send: {"done": Done},
    }


class Booked(Workflow, unique="booked"):
    """A transactional step at the end."""

    start_step = pack
    transitions = {pack: {"done": book}, book: {"done": Done}}


approved = WaitForEvent("approved")


class Approved(Workflow, unique="approved"):
    """A transactional step behind a wait, where another line begins."""

    start_step = pack
    transitions = {
        pack: {"done": approved},
        approved: {"received": book},
        book: {"done": Done},
    }


class Sent(Workflow, unique="sent"):
    """Nothing but what needs no thread."""

    start_step = pack
    transitions = {pack: {"done": send}, send: {"done": Done}}


@pytest.mark.parametrize(
    ("workflow", "needing"),
    [(Weighed, ["pack", "weigh"]), (Booked, ["pack", "book"]), (Approved, ["book"]), (Sent, [])],
)
def test_a_thread_is_needed_up_to_the_last_step_that_is_executed_in_one(
    workflow: type[Workflow], needing: list[str]
) -> None:
    steps = [key for key, one in workflow.graph.steps.items() if not one.settled]

    assert needing == [key for key in steps if needs_thread(workflow.graph, key)]
