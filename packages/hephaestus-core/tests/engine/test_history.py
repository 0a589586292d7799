"""The entries that an advance writes."""

from engine.runs import (
    RUN,
    Work,
    after,
    at,
    begun,
    came_to,
    cancelled,
    ended,
    failed,
    flow,
    halted,
    line,
    lines,
    pending,
    posted,
    suspended,
    told,
)
from hephaestus.engine import advance
from hephaestus.instance import StepError
from hephaestus.outcome import Halt
from hephaestus.steps import Done, WaitForEvent

A, B, C = (Work(key) for key in "abc")
PAID = WaitForEvent("paid")
LINE = flow(A.using(size=3), {A: {"done": PAID}, PAID: {"received": Done}})


def test_the_end_of_a_step_is_one_entry_with_all_that_is_known_of_it() -> None:
    instance = begun(LINE)

    advanced = told(instance, LINE, ended("a", data={"total": 3}), now=at(7))

    entry = line(advanced, "completed")
    assert ("a", "done", 1, 0.5, at(7)) == (
        entry.step, entry.event, entry.attempt, entry.duration, entry.timestamp,
    )  # fmt: skip
    assert ({"size": 3}, {"total": 3}, None) == (entry.input, entry.output, entry.error)
    assert (RUN, "engine.runs.Work") == (entry.run_id, entry.step_type)


def test_entries_are_numbered_by_revision_and_place_so_that_repeating_repeats_them() -> None:
    instance = begun(LINE)

    first = told(instance, LINE, ended("a"))
    again = told(instance, LINE, ended("a"))
    second = told(first.instance, LINE, posted("paid", "paid"))

    assert [f"{RUN}/2.{place}" for place in (0, 1)] == [entry.id for entry in first.entries]
    assert first.entries == again.entries
    assert [f"{RUN}/3.{place}" for place in (0, 1, 2)] == [entry.id for entry in second.entries]


def test_a_wait_is_told_at_its_beginning_and_at_its_end() -> None:
    instance = begun(LINE)

    suspends = told(instance, LINE, ended("a"), now=at(1))
    resumes = told(suspends.instance, LINE, posted("paid", "paid", {"x": 1}), now=at(9))

    assert [("completed", "a"), ("suspended", "paid")] == lines(suspends)
    assert [("resumed", "paid"), ("completed", "paid"), ("completed", "done")] == lines(resumes)
    resumed, completed, _ = resumes.entries
    assert ("paid", 8.0, {"x": 1}) == (resumed.event, resumed.duration, resumed.output)
    assert ("received", None, {"x": 1}) == (
        completed.event, completed.duration, completed.output,
    )  # fmt: skip


def test_a_question_is_told_with_what_it_asks_and_its_answer() -> None:
    second = after(begun(LINE), LINE, failed("a"))

    asks = told(second, LINE, came_to("a", Halt({"limit": 7}, "How much?", "a"), 2), now=at(1))
    answers = told(asks.instance, LINE, posted("a", "a", {"limit": 9}), now=at(4))

    asked, answered = line(asks, "halted"), line(answers, "resumed")
    assert ({"limit": 7}, {"size": 3}, 0.5, 2) == (
        asked.output, asked.input, asked.duration, asked.attempt,
    )  # fmt: skip
    assert ("a", {"limit": 9}, 3.0, 2) == (
        answered.event, answered.output, answered.duration, answered.attempt,
    )  # fmt: skip


def test_a_suspended_attempt_is_told_with_its_config_and_how_long_it_took() -> None:
    second = after(begun(LINE), LINE, failed("a"))

    advanced = told(second, LINE, suspended("a", attempt=2))

    entry = line(advanced, "suspended")
    assert (2, 0.5, {"size": 3}, None) == (
        entry.attempt, entry.duration, entry.input, entry.output,
    )  # fmt: skip


def test_each_failed_attempt_is_told() -> None:
    instance = begun(LINE)

    first = told(instance, LINE, failed("a"))
    last = told(first.instance, LINE, failed("a", attempt=2, fatal=True))

    entries = [line(advanced, "failed") for advanced in (first, last)]
    assert [
        StepError(step="a", type="OSError", message="no route", attempt=attempt)
        for attempt in (1, 2)
    ] == [entry.error for entry in entries]
    assert [(1, 0.5, {"size": 3}), (2, 0.5, {"size": 3})] == [
        (entry.attempt, entry.duration, entry.input) for entry in entries
    ]


def test_a_failure_that_no_body_brought_about_is_told_without_a_duration() -> None:
    instance = begun(LINE)

    advanced = told(instance, LINE, ended("a", "shipped"))

    entry = line(advanced, "failed")
    assert (1, None, {"size": 3}) == (entry.attempt, entry.duration, entry.input)


def test_what_changes_nothing_is_told_as_dropped() -> None:
    instance = begun(LINE)

    advanced = told(
        instance,
        LINE,
        ended("a", data={"total": 3}),
        ended("a", data={"total": 4}),
        failed("a"),
        suspended("a"),
        halted("a"),
    )

    dropped = [entry for entry in advanced.entries if entry.action == "dropped"]
    assert [{"total": 4}, None, None, None] == [entry.output for entry in dropped]
    assert ["done", None, None, None] == [entry.event for entry in dropped]
    assert [(1, 0.5)] * 4 == [(entry.attempt, entry.duration) for entry in dropped]
    assert {"total": 3} == advanced.instance.context.steps["a"]


def test_outcomes_of_steps_that_do_not_exist_are_dropped() -> None:
    instance = begun(LINE)

    advanced = told(instance, LINE, ended("z"), ended("paid"), ended("a", attempt=2))

    assert [("dropped", key) for key in ("z", "paid", "a")] == lines(advanced)
    assert instance.active == advanced.instance.active


def test_done_is_a_step_of_the_history() -> None:
    workflow = flow(A, {A: {"done": Done}})

    advanced = told(begun(workflow), workflow, ended("a"))

    assert [("completed", "a"), ("completed", "done")] == lines(advanced)
    done = advanced.entries[-1]
    assert ("done", 1, {}) == (done.event, done.attempt, done.output)


def test_a_cancel_is_told_of_the_run_as_a_whole() -> None:
    advanced = told(begun(LINE), LINE, cancelled(), now=at(4))

    entry = line(advanced, "cancelled")
    assert (None, None, at(4)) == (entry.step, entry.step_type, entry.timestamp)


def test_the_start_of_a_run_is_no_entry() -> None:
    advanced = advance(pending(LINE), LINE, at(0))

    assert () == advanced.entries
    assert advanced.changed


def test_a_run_in_hand_carries_no_history() -> None:
    instance = after(begun(LINE), LINE, ended("a"))

    assert () == instance.execution_history
