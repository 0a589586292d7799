"""Cancel: a run stops for good."""

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
from hephaestus.engine import advance, cancel, is_cancelled, retry, wake_at
from hephaestus.errors import NotRetryable
from hephaestus.instance import Instance
from hephaestus.message import LeaseEnded
from hephaestus.steps import Done

A, B, C, D = (Work(key) for key in "abcd")
LINE = flow(A, {A: {"done": Done}})
WIDE = flow(A, {A: {"done": [B, C]}, B: {"done": D}, C: {"done": D}, D: {"done": Done}})


@pytest.mark.parametrize(
    "instance",
    [
        pending(LINE),
        begun(LINE),
        after(begun(LINE), LINE, suspended("a", 5)),
        after(begun(LINE), LINE, halted("a")),
    ],
    ids=lambda instance: instance.status,
)
def test_any_unfinished_run_can_be_cancelled(instance: Instance) -> None:
    advanced = told(instance, LINE, cancelled(), now=at(9))

    run = advanced.instance
    assert ("cancelled", at(9), at(9)) == (run.status, run.finished_at, run.updated_at)
    assert {} == run.active == run.stopped
    assert [("cancelled", None)] == lines(advanced)
    assert wake_at(run, advanced.kept) is None


def test_all_leases_end() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"))

    advanced = told(instance, WIDE, cancelled())

    assert {("b", 1), ("c", 1)} == set(advanced.ended)
    assert () == advanced.ready


def test_what_was_completed_stays_visible() -> None:
    instance = after(begun(WIDE), WIDE, ended("a", data={"x": 1}))

    run = after(instance, WIDE, cancelled())

    assert {"a"} == run.completed_steps
    assert {"a": {"x": 1}} == run.context.steps
    assert run.result is None


def test_it_goes_before_all_else_that_lies_in_the_inbox() -> None:
    instance = begun(LINE)

    advanced = told(
        instance, LINE, ended("a", data={"x": 1}), posted("a", "done", {"y": 2}), cancelled()
    )

    assert "cancelled" == advanced.instance.status
    assert {} == advanced.instance.context.steps
    assert 3 == len(advanced.consumed)
    assert [("cancelled", None), ("dropped", "a"), ("dropped", "a")] == lines(advanced)
    assert [None, {"x": 1}, {"y": 2}] == [entry.output for entry in advanced.entries]
    assert [None, "done", "done"] == [entry.event for entry in advanced.entries]


def test_a_scheduled_event_goes_with_it() -> None:
    scheduled = message(posted("a", "done"), not_before=at(99))

    advanced = told(begun(LINE), LINE, scheduled, cancelled())

    assert () == advanced.kept
    assert "a" == line(advanced, "dropped").step


def test_cancelling_twice_is_cancelling_once() -> None:
    advanced = told(begun(LINE), LINE, cancelled(), cancelled())
    later = told(advanced.instance, LINE, cancelled())

    assert [("cancelled", None)] == lines(advanced)
    assert () == later.entries
    assert 1 == len(later.consumed)


def test_a_process_that_does_not_know_the_workflow_can_cancel() -> None:
    instance, inbox = begun(LINE), [message(cancelled())]

    advanced = cancel(instance, at(9), inbox=inbox)

    assert is_cancelled(instance, inbox)
    assert "cancelled" == advanced.instance.status
    assert advanced == advance(instance, LINE, at(9), inbox=inbox)


def test_a_run_without_such_a_message_is_not_cancelled() -> None:
    assert not is_cancelled(begun(LINE), [message(ended("a"))])


def test_what_comes_late_is_dropped_with_an_entry_and_changes_nothing_else() -> None:
    instance = after(begun(WIDE), WIDE, ended("a"), cancelled(), now=at(1))

    advanced = advance(
        instance,
        WIDE,
        at(99),
        inbox=[message(ended("b")), message(posted("c", "done"), not_before=at(500))],
        ended_leases=[LeaseEnded(step="b", attempt=1, released=False)],
    )

    run = advanced.instance
    assert [("dropped", "b"), ("dropped", "c")] == lines(advanced)
    assert (instance.revision + 1, at(1), at(1)) == (run.revision, run.updated_at, run.finished_at)
    assert (instance.status, instance.finished) == (run.status, run.finished)


def test_a_completed_run_stays_completed() -> None:
    instance = after(begun(LINE), LINE, ended("a"))

    advanced = told(instance, LINE, cancelled(), now=at(9))

    assert "completed" == advanced.instance.status
    assert () == advanced.entries
    assert 1 == len(advanced.consumed)


def test_a_failed_run_stays_failed_and_may_still_be_retried() -> None:
    instance = after(begun(LINE), LINE, failed("a", fatal=True))

    advanced = told(instance, LINE, cancelled())

    assert "failed" == advanced.instance.status
    assert "running" == retry(advanced.instance, LINE, at(9)).instance.status


def test_a_cancelled_run_cannot_be_retried() -> None:
    instance = after(begun(LINE), LINE, cancelled())

    with pytest.raises(NotRetryable):
        retry(instance, LINE, at(9))


def test_an_advance_of_a_finished_run_by_nothing_changes_nothing() -> None:
    instance = after(begun(LINE), LINE, cancelled())

    advanced = advance(instance, LINE, at(9))

    assert not advanced.changed
