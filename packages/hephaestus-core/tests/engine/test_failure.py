"""Failed attempts, and the failure of the run that comes of the last one."""

from datetime import timedelta

import pytest

from engine.runs import (
    Work,
    after,
    at,
    begun,
    cancelled,
    ended,
    failed,
    flow,
    halted,
    line,
    lines,
    message,
    pending,
    posted,
    suspended,
    told,
)
from hephaestus.engine import advance, wake_at
from hephaestus.instance import Instance
from hephaestus.retry import Retry
from hephaestus.steps import Done, WaitForEvent
from hephaestus.workflow import Workflow

PLAIN = Retry(3, initial_delay=10, jitter=False)
A, B, C, D = (Work(key) for key in "abcd")
LINE = flow(A, {A: {"done": Done}}, retry=PLAIN)
PAID = WaitForEvent("paid")
WIDE = flow(
    A,
    {
        A: {"done": [B, C, PAID]},
        B: {"done": D},
        C: {"done": D},
        PAID: {"received": D},
        D: {"done": Done},
    },
    retry=PLAIN,
)


def parallel() -> Instance:
    """Two steps at work, one waiting."""
    return after(begun(WIDE), WIDE, ended("a"))


def test_a_failed_attempt_is_followed_by_another_after_a_pause() -> None:
    instance = begun(LINE)

    advanced = told(instance, LINE, failed("a"), now=at(5))

    step = advanced.instance.active["a"]
    assert "running" == advanced.instance.status
    assert ("ready", 2, 1, at(15)) == (step.state, step.attempt, step.failures, step.deadline)
    assert () == advanced.ready
    assert (("a", 1),) == advanced.ended
    assert at(15) == wake_at(advanced.instance, [])


def test_when_the_pause_is_over_the_step_is_handed_out_again() -> None:
    instance = after(begun(LINE), LINE, failed("a"))

    early = advance(instance, LINE, at(9.9))
    due = advance(instance, LINE, at(10))

    assert () == early.ready
    assert ("a",) == due.ready


def test_the_pauses_grow_as_the_policy_says() -> None:
    instance = begun(LINE)

    first = after(instance, LINE, failed("a"))
    second = after(first, LINE, failed("a", attempt=2), now=at(100))

    assert (at(10), at(120)) == (first.active["a"].deadline, second.active["a"].deadline)


def test_jitter_is_drawn_from_run_step_and_attempt_so_that_a_lost_commit_gets_the_same() -> None:
    jittery = Retry(3, initial_delay=10, jitter=0.5)
    workflow = flow(A, {A: {"done": Done}}, retry=jittery)
    instance = begun(workflow)

    pauses = {after(instance, workflow, failed("a")).active["a"].deadline for _ in range(3)}

    assert {at(0) + jittery.delay(1, seed=f"{instance.run_id}/a/1")} == pauses
    assert {at(10)} != pauses


@pytest.mark.parametrize(
    ("own", "general", "pause"),
    [
        (Retry(2, initial_delay=7, jitter=False), PLAIN, 7),
        (None, PLAIN, 10),
        (None, None, 1),
    ],
    ids=["the step's", "the workflow's", "the default"],
)
def test_the_steps_policy_goes_before_the_workflows_and_that_before_the_default(
    own: Retry | None, general: Retry | None, pause: int
) -> None:
    step = Work("a", retry=own)
    workflow = flow(step, {step: {"done": Done}}, retry=general)

    instance = after(begun(workflow), workflow, failed("a"))

    deadline = instance.active["a"].deadline
    assert deadline is not None
    assert at(pause) <= deadline <= at(pause) + timedelta(seconds=0.1)


def test_the_last_attempt_fails_the_run() -> None:
    instance = begun(LINE)
    for attempt in (1, 2):
        instance = after(instance, LINE, failed("a", attempt=attempt))

    advanced = told(instance, LINE, failed("a", attempt=3), now=at(60))

    run = advanced.instance
    assert ("failed", at(60), "a") == (run.status, run.finished_at, run.recover_to)
    assert run.error is not None
    assert ("a", "OSError", "no route", 3) == (
        run.error.step, run.error.type, run.error.message, run.error.attempt,
    )  # fmt: skip
    assert {} == run.active
    assert {"a"} == run.stopped.keys()
    assert wake_at(run, advanced.kept) is None


def test_a_fatal_failure_fails_the_run_at_once() -> None:
    instance = begun(LINE)

    advanced = told(instance, LINE, failed("a", fatal=True))

    assert "failed" == advanced.instance.status
    assert [("failed", "a")] == lines(advanced)


def test_a_failure_stops_the_siblings_as_they_are() -> None:
    instance = parallel()

    advanced = told(instance, WIDE, failed("b", fatal=True))

    assert {} == advanced.instance.active
    assert instance.active == advanced.instance.stopped
    assert {("b", 1), ("c", 1)} == set(advanced.ended)
    assert () == advanced.ready
    assert {"a"} == advanced.instance.completed_steps


def test_outcomes_of_siblings_stay_in_the_inbox_in_the_same_advance_and_later() -> None:
    instance = parallel()
    late = message(ended("c"))

    first = told(instance, WIDE, failed("b", fatal=True), late)
    second = advance(first.instance, WIDE, at(9), inbox=first.kept)

    assert (late,) == first.kept == second.kept
    assert {"a"} == second.instance.completed_steps
    assert () == second.entries


def test_outcomes_before_the_failure_count() -> None:
    instance = parallel()

    advanced = told(instance, WIDE, ended("c"), failed("b", fatal=True))

    assert {"a", "c"} == advanced.instance.completed_steps
    assert {"b", "paid"} == advanced.instance.stopped.keys()


def test_an_event_for_a_stopped_step_stays_in_the_inbox() -> None:
    instance = parallel()
    event = message(posted("paid", "paid"))

    advanced = told(instance, WIDE, failed("b", fatal=True), event)

    assert (event,) == advanced.kept
    assert "waiting" == advanced.instance.stopped["paid"].state
    assert wake_at(advanced.instance, advanced.kept) is None


def test_what_the_failed_attempt_itself_still_delivers_is_dropped() -> None:
    instance = parallel()

    advanced = told(instance, WIDE, failed("b", fatal=True), failed("b", fatal=True), ended("b"))

    assert () == advanced.kept
    assert [("failed", "b"), ("dropped", "b"), ("dropped", "b")] == lines(advanced)


def test_an_older_attempt_of_a_sibling_is_dropped() -> None:
    instance = after(parallel(), WIDE, failed("c"), failed("b", fatal=True))

    advanced = told(instance, WIDE, ended("c", attempt=1))

    assert () == advanced.kept
    assert [("dropped", "c")] == lines(advanced)


def test_the_first_failure_is_the_one_that_counts() -> None:
    instance = parallel()

    advanced = told(instance, WIDE, failed("b", fatal=True), failed("c", fatal=True))

    error = advanced.instance.error
    assert error is not None
    assert "b" == error.step
    assert 1 == len(advanced.kept)


def test_what_reaches_a_failed_run_changes_only_inbox_and_history() -> None:
    instance = after(parallel(), WIDE, failed("b", fatal=True), now=at(1))

    advanced = told(
        instance,
        WIDE,
        ended("a"),
        posted("a", "done"),
        cancelled(),
        ended("c", attempt=7),
        now=at(90),
    )

    run = advanced.instance
    assert [("dropped", "a"), ("dropped", "a"), ("dropped", "c")] == lines(advanced)
    assert 4 == len(advanced.consumed)
    assert (instance.stopped, instance.error, "failed") == (run.stopped, run.error, run.status)
    assert (at(1), at(1)) == (run.updated_at, run.finished_at)


def test_failures_and_results_of_other_steps_do_not_count() -> None:
    instance = after(parallel(), WIDE, failed("b"), failed("b", attempt=2), failed("c"))

    advanced = told(instance, WIDE, failed("c", attempt=2))

    assert "running" == advanced.instance.status
    assert (2, 2) == tuple(advanced.instance.active[key].failures for key in "bc")


def test_an_event_that_leads_nowhere_fails_the_run_and_not_the_advance() -> None:
    instance = begun(LINE)

    advanced = told(instance, LINE, ended("a", "shipped"))

    assert "failed" == advanced.instance.status
    assert "'shipped'" in str(line(advanced, "failed").error)


def test_a_timer_of_a_step_that_does_not_declare_it_fails_the_run_and_not_the_advance() -> None:
    instance = after(begun(LINE), LINE, suspended("a", 5))

    advanced = told(instance, LINE, now=at(5))

    assert "failed" == advanced.instance.status
    assert "'timeout'" in str(line(advanced, "failed").error)


def test_a_halted_sibling_is_stopped_too() -> None:
    instance = after(parallel(), WIDE, halted("c"))

    run = after(instance, WIDE, failed("b", fatal=True))

    assert "failed" == run.status
    assert run.halt_data is None
    assert "halted" == run.stopped["c"].state


def test_the_first_step_may_fail_in_the_advance_that_starts_it() -> None:
    workflow: type[Workflow] = LINE

    advanced = told(pending(workflow), workflow, failed("a", fatal=True))

    assert "failed" == advanced.instance.status
