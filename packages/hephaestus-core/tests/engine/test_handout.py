"""Handing steps out, and when a run must be looked at again."""

from datetime import timedelta

import pytest

from engine.runs import (
    NOW,
    Work,
    after,
    at,
    begun,
    cancelled,
    ended,
    failed,
    flow,
    halted,
    message,
    posted,
    suspended,
    told,
)
from hephaestus.engine import advance, dispatch_until, hand_out, leased_until, wake_at
from hephaestus.message import Body
from hephaestus.retry import Retry
from hephaestus.steps import Done

A, B, C, D = (Work(key) for key in "abcd")
ASK = Work("ask", "done", "timeout")
WIDE = flow(
    A,
    {A: {"done": [B, ASK]}, B: {"done": D}, ASK: {"done": D, "timeout": D}, D: {"done": Done}},
    retry=Retry(initial_delay=40, jitter=False),
)


def test_a_step_that_was_handed_out_is_left_alone_until_its_deadline() -> None:
    instance = hand_out(begun(WIDE), {"a": at(30)})

    early, due = advance(instance, WIDE, at(29)), advance(instance, WIDE, at(30))

    assert (at(30), 1, 1) == (
        instance.active["a"].deadline, instance.active["a"].dispatches,
        instance.active["a"].attempt,
    )  # fmt: skip
    assert () == early.ready
    assert ("a",) == due.ready
    assert not due.changed


def test_handing_out_nothing_changes_nothing() -> None:
    instance = begun(WIDE)

    assert instance is hand_out(instance, {})


def test_handing_out_leaves_the_run_that_it_was_given_as_it_was() -> None:
    instance = begun(WIDE)

    hand_out(instance, {"a": at(30)})

    assert 0 == instance.active["a"].dispatches


def test_the_copies_of_an_attempt_are_counted() -> None:
    instance = begun(WIDE)

    for number in (1, 2, 3):
        instance = hand_out(instance, {"a": at(number)})

    assert (3, 1) == (instance.active["a"].dispatches, instance.active["a"].attempt)


def test_a_new_attempt_counts_its_copies_anew() -> None:
    instance = hand_out(begun(WIDE), {"a": at(30)})

    run = after(instance, WIDE, failed("a"))

    assert 0 == run.active["a"].dispatches


@pytest.mark.parametrize(
    ("dispatches", "seconds"),
    [(0, 30), (1, 60), (2, 120), (4, 480), (5, 600), (9, 600), (10**6, 600)],
)
def test_the_deadline_of_a_dispatch_doubles_up_to_ten_minutes(
    dispatches: int, seconds: int
) -> None:
    assert NOW + timedelta(seconds=seconds) == dispatch_until(dispatches, NOW)


def test_a_ready_step_makes_the_run_due_at_once() -> None:
    instance = begun(WIDE)

    assert at(0) == wake_at(instance, [])


def test_the_earliest_deadline_of_all_steps_counts() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"))

    rests = after(instance, WIDE, failed("b"))
    waits = after(rests, WIDE, suspended("ask", 50))
    dispatched = hand_out(after(waits, WIDE, now=at(40)), {"b": at(70)})

    assert at(0) == wake_at(rests, [])
    assert at(40) == wake_at(waits, [])
    assert at(50) == wake_at(dispatched, [])


def test_the_time_of_a_kept_event_counts() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"), failed("b"), suspended("ask"))
    scheduled = message(posted("ask", "done"), not_before=at(20))

    advanced = told(instance, WIDE, scheduled, now=at(1))

    assert at(20) == wake_at(advanced.instance, advanced.kept)


def test_an_event_that_is_early_for_its_step_does_not_make_the_run_due() -> None:
    instance = hand_out(begun(WIDE), {"a": at(30)})
    scheduled = message(posted("ask", "timeout"), not_before=at(20))

    advanced = told(instance, WIDE, posted("ask", "done"), scheduled, now=at(25))

    assert 2 == len(advanced.kept)
    assert at(30) == wake_at(advanced.instance, advanced.kept)


@pytest.mark.parametrize("standing", [suspended("ask"), halted("ask")], ids=["waits", "halted"])
def test_a_run_that_waits_for_the_outside_alone_has_no_time(standing: Body) -> None:
    instance = after(begun(WIDE), WIDE, ended("a"), ended("b"), standing)

    assert wake_at(instance, []) is None


@pytest.mark.parametrize("end", [cancelled(), failed("b", fatal=True)], ids=["cancelled", "failed"])
def test_a_finished_run_has_no_time_whatever_lies_in_its_inbox(end: Body) -> None:
    instance = after(begun(WIDE), WIDE, ended("a"), end)
    scheduled = message(posted("ask", "timeout"), not_before=at(20))

    assert wake_at(instance, [scheduled]) is None


@pytest.mark.parametrize("seconds", [0, 0.000001, 15, 54.999999, 55, 59.999999, 60, 3599])
def test_the_deadline_of_a_leased_step_lies_a_minute_or_two_beyond_it_on_the_full_minute(
    seconds: float,
) -> None:
    end = at(seconds)

    deadline = leased_until(end)

    assert timedelta(minutes=1) < deadline - end <= timedelta(minutes=2)
    assert deadline == deadline.replace(second=0, microsecond=0)


def test_leases_that_end_within_one_minute_have_one_deadline() -> None:
    minute = NOW.replace(second=0, microsecond=0)
    ends = [minute + timedelta(seconds=seconds) for seconds in (0, 1, 15, 59)]

    deadlines = {leased_until(end) for end in ends}

    assert {minute + timedelta(minutes=2)} == deadlines
