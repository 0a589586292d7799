"""Leases that end before the step does, and leases that hold."""

import pytest

from engine.runs import (
    Work,
    after,
    at,
    begun,
    came_to,
    ended,
    failed,
    flow,
    halted,
    line,
    lines,
    message,
    posted,
    suspended,
    told,
)
from hephaestus.engine import Advanced, advance, hand_out, leased_until
from hephaestus.instance import Instance
from hephaestus.message import Body, LeaseEnded, StepEnded
from hephaestus.outcome import Halt, Suspend
from hephaestus.retry import Retry
from hephaestus.steps import Done
from hephaestus.workflow import Workflow

A, B, C, D = (Work(key) for key in "abcd")
LINE = flow(A, {A: {"done": Done}}, retry=Retry(3, initial_delay=10, jitter=False, max_lost=3))
WIDE = flow(A, {A: {"done": [B, C]}, B: {"done": D}, C: {"done": D}, D: {"done": Done}})


def working() -> Instance:
    return hand_out(begun(LINE), {"a": at(15)})


def lose(
    instance: Instance, attempt: int, *inbox: Body, workflow: type[Workflow] = LINE, now: float = 20
) -> Advanced:
    lease = LeaseEnded(step="a", attempt=attempt, released=False)
    messages = [message(one) for one in inbox]
    return advance(instance, workflow, at(now), inbox=messages, ended_leases=[lease])


def release(instance: Instance, attempt: int, now: float = 20) -> Advanced:
    lease = LeaseEnded(step="a", attempt=attempt, released=True)
    return advance(instance, LINE, at(now), ended_leases=[lease])


def test_a_lost_lease_makes_a_new_attempt_at_once() -> None:
    instance = working()

    advanced = lose(instance, 1)

    step = advanced.instance.active["a"]
    assert (2, 1, 0, 0, at(20)) == (
        step.attempt, step.losses, step.failures, step.dispatches, step.deadline,
    )  # fmt: skip
    assert ("a",) == advanced.ready
    assert (("a", 1),) == advanced.ended
    assert ("a", 1) == (line(advanced, "lost").step, line(advanced, "lost").attempt)


def test_an_outcome_that_was_posted_counts_although_the_lease_ran_out() -> None:
    instance = working()

    advanced = lose(instance, 1, ended("a"))

    assert "completed" == advanced.instance.status
    assert [("completed", "a"), ("completed", "done")] == lines(advanced)


def test_an_outcome_of_the_lost_attempt_is_refused() -> None:
    instance = lose(working(), 1).instance

    advanced = told(instance, LINE, ended("a", data={"x": 1}))

    dropped = line(advanced, "dropped")
    assert ("a", 1, {"x": 1}) == (dropped.step, dropped.attempt, dropped.output)
    assert {"a"} == advanced.instance.active_steps


def test_losses_do_not_count_as_failures() -> None:
    instance = after(working(), LINE, failed("a"), failed("a", attempt=2))

    advanced = lose(instance, 3)

    step = advanced.instance.active["a"]
    assert ("running", 4, 2, 1) == (
        advanced.instance.status, step.attempt, step.failures, step.losses,
    )  # fmt: skip


def test_too_many_losses_in_a_row_fail_the_run() -> None:
    instance = lose(lose(working(), 1).instance, 2).instance

    advanced = lose(instance, 3)

    error = advanced.instance.error
    assert "failed" == advanced.instance.status
    assert error is not None
    assert ("a", "LeaseLost", 3) == (error.step, error.type, error.attempt)
    assert "3 attempts in a row" in error.message
    assert [("lost", "a"), ("failed", "a")] == lines(advanced)


@pytest.mark.parametrize(
    "outcome",
    [failed("a", attempt=3), suspended("a", attempt=3), halted("a", "a", attempt=3)],
    ids=["failed", "suspended", "halted"],
)
def test_an_outcome_breaks_the_row(outcome: StepEnded) -> None:
    instance = lose(lose(working(), 1).instance, 2).instance

    run = after(instance, LINE, outcome)

    assert 0 == run.active["a"].losses


def test_a_released_lease_keeps_the_attempt_and_frees_the_step_at_once() -> None:
    instance = working()

    advanced = release(instance, 1, now=5)

    step = advanced.instance.active["a"]
    assert ("a",) == advanced.ready
    assert (1, 0, 0, at(5)) == (step.attempt, step.losses, step.dispatches, step.deadline)
    assert () == advanced.ended
    assert () == advanced.entries


def test_a_lease_that_was_released_is_forgotten_with_the_commit_that_frees_its_step() -> None:
    advanced = release(working(), 1, now=5)

    assert advanced.changed
    assert (("a", 1),) == advanced.freed


@pytest.mark.parametrize("released", [True, False])
def test_the_lease_of_an_earlier_attempt_says_nothing(released: bool) -> None:
    instance = after(working(), LINE, failed("a"))
    lease = LeaseEnded(step="a", attempt=1, released=released)

    advanced = advance(instance, LINE, at(1), ended_leases=[lease])

    assert not advanced.changed
    assert instance.active == advanced.instance.active


@pytest.mark.parametrize("outcome", [Suspend(), Halt()], ids=["waiting", "halted"])
def test_a_step_that_stands_still_has_no_lease_to_lose(outcome: Suspend | Halt) -> None:
    instance = after(working(), LINE, came_to("a", outcome))

    advanced = lose(instance, 1)

    assert not advanced.changed
    assert 1 == advanced.instance.active["a"].attempt


def test_the_lease_of_a_step_that_has_ended_says_nothing() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"))

    advanced = lose(instance, 1, workflow=WIDE)

    assert not advanced.changed


def test_a_failed_run_loses_nothing() -> None:
    instance = after(working(), LINE, failed("a", fatal=True))

    advanced = lose(instance, 1)

    assert not advanced.changed
    assert instance.stopped == advanced.instance.stopped


def test_a_step_that_somebody_executes_is_not_handed_out() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"))

    advanced = advance(instance, WIDE, at(1), live_leases={"b": at(15)})

    assert ("c",) == advanced.ready
    assert leased_until(at(15)) == advanced.instance.active["b"].deadline
    assert 1 == advanced.instance.active["b"].dispatches
    assert advanced.changed


def test_a_later_deadline_is_left_alone() -> None:
    instance = hand_out(begun(LINE), {"a": at(30)})

    advanced = advance(instance, LINE, at(1), live_leases={"a": at(15)})

    assert not advanced.changed
    assert at(30) == advanced.instance.active["a"].deadline


def test_the_lease_of_an_attempt_that_has_just_failed_does_not_hold_up_the_next() -> None:
    hasty = flow(A, {A: {"done": Done}}, retry=Retry(initial_delay=0))

    advanced = advance(
        begun(hasty), hasty, at(1), inbox=[message(failed("a"))], live_leases={"a": at(15)}
    )

    assert ("a",) == advanced.ready
    assert (2, at(1)) == (
        advanced.instance.active["a"].attempt,
        advanced.instance.active["a"].deadline,
    )


def test_the_lease_of_an_attempt_that_asked_does_not_hold_up_the_answered_one() -> None:
    inbox = [message(halted("a", "a")), message(posted("a", "a"))]

    advanced = advance(working(), LINE, at(1), inbox=inbox, live_leases={"a": at(15)})

    assert ("a",) == advanced.ready


def test_live_leases_of_steps_that_are_not_ready_say_nothing() -> None:
    instance = after(begun(LINE), LINE, suspended("a"))

    advanced = advance(instance, LINE, at(1), live_leases={"a": at(15), "b": at(15)})

    assert not advanced.changed
