"""Retry: a failed run is taken up again where it stopped."""

import msgspec
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
from hephaestus.engine import Advanced, advance, hand_out, leased_until, retry
from hephaestus.errors import DamagedInstance, NotRetryable
from hephaestus.instance import Instance
from hephaestus.message import Body, LeaseEnded, Message
from hephaestus.retry import Retry
from hephaestus.steps import Done, StepContext, Wait, WaitForEvent
from hephaestus.transitions import Choose

PLAIN = Retry(2, initial_delay=10, jitter=False, max_lost=1)
A, B, C, D = (Work(key) for key in "abcd")
ASK = Work("ask", "done", "refused")
PAID = WaitForEvent("paid")
NAP = Wait(60, key="nap")

LINE = flow(A, {A: {"done": B}, B: {"done": Done}}, retry=PLAIN)
WIDE = flow(
    A,
    {
        A: {"done": [B, C, ASK, PAID, NAP]},
        B: {"done": D},
        C: {"done": D},
        ASK: {"done": D, "refused": D},
        PAID: {"received": D},
        NAP: {"timeout": D},
        D: {"done": Done},
    },
    retry=PLAIN,
)


def stopped(*before: Body) -> Instance:
    """A wide run whose step b has failed, after these."""
    instance = after(begun(WIDE), WIDE, ended("a"))
    return after(instance, WIDE, *before, failed("b", fatal=True), now=at(1))


def again(instance: Instance, *inbox: Body | Message, now: float = 2) -> Advanced:
    return retry(instance, WIDE, at(now), inbox=[message(one) for one in inbox])


@pytest.mark.parametrize(
    "instance",
    [
        pending(LINE),
        begun(LINE),
        after(begun(LINE), LINE, cancelled()),
        after(begun(LINE), LINE, ended("a"), ended("b")),
        after(begun(LINE), LINE, suspended("a")),
        after(begun(LINE), LINE, halted("a")),
    ],
    ids=lambda instance: instance.status,
)
def test_only_a_failed_run_can_be_retried(instance: Instance) -> None:
    with pytest.raises(NotRetryable) as raised:
        retry(instance, LINE, at(0))

    assert instance.status == raised.value.status


@pytest.mark.parametrize("lost", ["error", "stopped"])
def test_a_failed_run_that_does_not_say_where_is_damaged(lost: str) -> None:
    nothing: dict[str, object] = {"error": None, "stopped": {}}
    instance = msgspec.structs.replace(stopped(), **{lost: nothing[lost]})

    with pytest.raises(DamagedInstance):
        again(instance)


def test_the_failed_step_is_ready_at_once_for_its_next_attempt() -> None:
    instance = stopped()

    advanced = again(instance, now=30)

    step = advanced.instance.active["b"]
    assert "b" in advanced.ready
    assert (2, 0, 0, at(30)) == (step.attempt, step.failures, step.losses, step.deadline)


def test_the_failure_is_forgotten_and_the_run_goes_on() -> None:
    instance = stopped()

    run = again(instance).instance

    assert ("running", None, None, None) == (run.status, run.error, run.finished_at, run.recover_to)
    assert {} == run.stopped
    assert instance.active_steps | instance.stopped.keys() == run.active_steps


def test_it_has_as_many_attempts_more_as_the_policy_says() -> None:
    instance = begun(LINE)
    for attempt in (1, 2):
        instance = after(instance, LINE, failed("a", attempt=attempt))
    instance = retry(instance, LINE, at(9)).instance

    third = after(instance, LINE, failed("a", attempt=3))
    fourth = after(third, LINE, failed("a", attempt=4))

    assert ("running", "failed") == (third.status, fourth.status)


def test_it_may_be_lost_as_often_again_as_the_policy_says() -> None:
    patient = Retry(max_lost=2)
    workflow = flow(A, {A: {"done": Done}}, retry=patient)
    instance = begun(workflow)
    for attempt in (1, 2):
        lost = LeaseEnded(step="a", attempt=attempt, released=False)
        instance = advance(instance, workflow, at(0), ended_leases=[lost]).instance
    instance = retry(instance, workflow, at(1)).instance

    lost = LeaseEnded(step="a", attempt=3, released=False)
    run = advance(instance, workflow, at(2), ended_leases=[lost]).instance

    assert "running" == run.status
    assert (4, 1) == (run.active["a"].attempt, run.active["a"].losses)


def test_what_was_completed_stays_completed() -> None:
    instance = stopped(ended("c", data={"total": 3}))

    advanced = again(instance)

    assert {"a", "c"} == advanced.instance.completed_steps
    assert {"total": 3} == advanced.instance.context.steps["c"]
    assert "c" not in advanced.ready


def test_siblings_keep_their_attempts() -> None:
    instance = stopped(failed("c"))

    run = again(instance).instance

    assert (2, 1) == (run.active["c"].attempt, run.active["c"].failures)


def test_a_sibling_that_was_at_work_is_handed_out_again_at_once() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"))
    working = hand_out(instance, {"b": at(15), "c": at(15)})
    failed_run = after(working, WIDE, failed("b", fatal=True), now=at(1))

    advanced = again(failed_run)

    step = advanced.instance.active["c"]
    assert {"b", "c"} <= set(advanced.ready)
    assert (1, 0, at(2)) == (step.attempt, step.dispatches, step.deadline)


def test_a_sibling_that_somebody_had_claimed_is_handed_out_again_at_once() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"))
    claimed = advance(instance, WIDE, at(0), live_leases={"c": at(15)}).instance
    failed_run = after(claimed, WIDE, failed("b", fatal=True), now=at(1))

    advanced = again(failed_run)

    assert leased_until(at(15)) == claimed.active["c"].deadline
    assert {"b", "c"} <= set(advanced.ready)


def test_a_sibling_that_rests_after_a_failure_goes_on_resting() -> None:
    instance = stopped(failed("c"))

    advanced = again(instance, now=3)

    assert at(11) == advanced.instance.active["c"].deadline
    assert "c" not in advanced.ready


def test_the_timers_of_siblings_are_absolute() -> None:
    instance = stopped()

    soon = again(instance, now=30)
    late = again(instance, now=60)

    assert at(60) == soon.instance.active["nap"].deadline
    assert "nap" in late.instance.completed_steps


def test_halted_and_waiting_siblings_stand_where_they_stood() -> None:
    instance = stopped(halted("ask", "done"))

    run = again(instance).instance

    assert "halted" == run.status
    assert ({"asks": "ask"}, "done") == (run.halt_data, run.recover_to)
    assert {"paid", "nap"} == run.waiting_steps
    assert (at(1), at(0)) == (run.active["ask"].since, run.active["paid"].since)


def test_outcomes_that_came_in_since_the_failure_are_applied_first() -> None:
    instance = stopped()

    advanced = again(instance, ended("c", data={"total": 3}), suspended("ask"))

    assert {"a", "c"} == advanced.instance.completed_steps
    assert "waiting" == advanced.instance.active["ask"].state
    assert ("b",) == advanced.ready
    assert () == advanced.kept


def test_events_that_came_in_since_the_failure_are_applied_even_before_their_outcome() -> None:
    instance = stopped()

    advanced = again(
        instance, posted("ask", "refused"), posted("paid", "paid", {"x": 1}), suspended("ask")
    )

    assert {"a", "ask", "paid"} == advanced.instance.completed_steps
    assert {"x": 1} == advanced.instance.context.steps["paid"]


def test_an_outcome_of_the_failed_attempt_does_not_count() -> None:
    instance = stopped()

    advanced = again(instance, ended("b"))

    assert ("dropped", "b") in lines(advanced)
    assert 2 == advanced.instance.active["b"].attempt


def test_an_outcome_that_came_in_may_fail_the_run_anew() -> None:
    instance = stopped()

    advanced = again(instance, failed("c", fatal=True), ended("ask"), now=9)

    run = advanced.instance
    assert ("failed", at(9), at(9)) == (run.status, run.finished_at, run.updated_at)
    assert run.error is not None
    assert "c" == run.error.step
    assert 2 == run.stopped["b"].attempt
    assert 1 == len(advanced.kept)


def test_outcomes_are_applied_before_an_event_that_fails_the_run_anew() -> None:
    def raises(ctx: StepContext) -> object:
        raise LookupError("no such shelf")

    workflow = flow(
        A,
        {
            A: {"done": [B, C, PAID]},
            B: {"done": D},
            C: {"done": D},
            PAID: {"received": Choose(raises, [D])},
            D: {"done": Done},
        },
    )
    instance = after(begun(workflow), workflow, ended("a"), failed("b", fatal=True))
    inbox = [message(posted("paid", "paid")), message(ended("c"))]

    run = retry(instance, workflow, at(9), inbox=inbox).instance

    assert ("failed", "paid") == (run.status, run.recover_to)
    assert {"a", "c"} == run.completed_steps


def test_a_run_that_failed_twice_is_retried_twice() -> None:
    twice = again(stopped(), failed("c", fatal=True), now=9).instance

    advanced = again(twice, now=10)

    assert (2, 2) == tuple(advanced.instance.active[key].attempt for key in "bc")
    assert "running" == advanced.instance.status


def test_a_cancel_that_came_too_late_is_consumed() -> None:
    instance = stopped()

    advanced = again(instance, cancelled())

    assert "running" == advanced.instance.status
    assert 1 == len(advanced.consumed)


def test_a_scheduled_event_keeps_its_time() -> None:
    instance = stopped()
    scheduled = message(posted("paid", "paid"), not_before=at(50))

    advanced = again(instance, scheduled)

    assert (scheduled,) == advanced.kept
    assert "waiting" == advanced.instance.active["paid"].state


def test_the_answer_to_a_halt_outlasts_the_failure() -> None:
    instance = after(begun(LINE), LINE, halted("a", "a"))
    instance = after(instance, LINE, posted("a", "a", {"ok": True}))
    instance = after(instance, LINE, failed("a", attempt=2, fatal=True))

    run = retry(instance, LINE, at(1)).instance

    assert {"ok": True} == run.active["a"].answer


def test_the_history_says_which_attempt_the_retry_has_begun() -> None:
    instance = stopped()

    advanced = again(instance)

    entry = line(advanced, "retried")
    assert ("b", 2, at(2)) == (entry.step, entry.attempt, entry.timestamp)


def test_a_retried_run_completes() -> None:
    instance = after(begun(LINE), LINE, ended("a"), failed("b", fatal=True))

    run = retry(instance, LINE, at(5)).instance
    run = told(run, LINE, ended("b", attempt=2), now=at(6)).instance

    assert ("completed", at(6)) == (run.status, run.finished_at)
