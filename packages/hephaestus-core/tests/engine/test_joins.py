"""Joins and dead paths: when a step starts, and when it never will."""

import itertools

import pytest

from engine.runs import Work, after, at, begun, ended, flow, lines, pending, told
from hephaestus.engine import Advanced, Transition, advance
from hephaestus.errors import InvalidArgument
from hephaestus.instance import Instance
from hephaestus.steps import Done
from hephaestus.workflow import Workflow

A, B, C, D, E = (Work(key) for key in "abcde")
FORK = Work("fork", "left", "right")

LINE = flow(A, {A: {"done": B}, B: {"done": Done}})
DIAMOND = flow(A, {A: {"done": [B, C]}, B: {"done": D}, C: {"done": D}, D: {"done": Done}})
EXCLUSIVE = flow(
    FORK, {FORK: {"left": B, "right": C}, B: {"done": D}, C: {"done": D}, D: {"done": Done}}
)


def run(workflow: type[Workflow], *keys: str) -> Instance:
    """Let these steps end, one after the other."""
    instance = begun(workflow)
    for key in keys:
        instance = after(instance, workflow, ended(key))
    return instance


def ready(advanced: Advanced) -> set[str]:
    return set(advanced.ready)


def test_the_first_advance_of_a_pending_run_starts_its_first_step() -> None:
    fresh = pending(LINE)

    advanced = advance(fresh, LINE, at(0))

    assert "running" == advanced.instance.status
    assert {"a"} == advanced.instance.active_steps == ready(advanced)
    assert "a" == advanced.instance.current_step
    assert 1 == advanced.instance.active["a"].attempt


def test_a_step_starts_when_the_one_before_it_has_ended() -> None:
    instance = begun(LINE)

    advanced = told(instance, LINE, ended("a", data={"total": 3}))

    assert ("b",) == advanced.ready
    assert {"a"} == advanced.instance.completed_steps
    assert {"a": {"total": 3}} == advanced.instance.context.steps
    assert (("a", 1),) == advanced.ended


def test_an_outcome_need_not_have_been_a_message() -> None:
    instance = begun(LINE)

    advanced = advance(instance, LINE, at(0), happened=[ended("a")])
    late = advance(advanced.instance, LINE, at(0), happened=[ended("a")])

    assert ("b",) == advanced.ready
    assert (("a", 1),) == advanced.ended
    assert late.changed
    assert [("dropped", "a")] == lines(late)


def test_a_fan_out_starts_all_its_branches() -> None:
    instance = begun(DIAMOND)

    advanced = told(instance, DIAMOND, ended("a"))

    assert ("b", "c") == advanced.ready


@pytest.mark.parametrize("order", [*itertools.permutations("bcd")])
def test_a_join_starts_with_the_last_branch_whatever_their_order(order: tuple[str, ...]) -> None:
    wide = flow(
        A,
        {A: {"done": [B, C, D]}, B: {"done": E}, C: {"done": E}, D: {"done": E}, E: {"done": Done}},
    )
    two_ended = run(wide, "a", *order[:2])

    advanced = told(two_ended, wide, ended(order[2]))

    assert {order[2]} == two_ended.active_steps
    assert ("e",) == advanced.ready


def test_branches_that_end_together_start_their_join_once() -> None:
    instance = run(DIAMOND, "a")

    advanced = told(instance, DIAMOND, ended("b"), ended("c"), ended("d"), ended("c"))

    assert "completed" == advanced.instance.status
    assert [("completed", key) for key in ("b", "c", "d", "done")] == lines(advanced)[:-1]
    assert ("dropped", "c") == lines(advanced)[-1]


def test_a_listed_target_that_another_branch_reaches_waits_for_that_branch() -> None:
    workflow = flow(A, {A: {"done": [B, C]}, B: {"done": C}, C: {"done": Done}})
    instance = begun(workflow)

    first = told(instance, workflow, ended("a"))
    second = told(first.instance, workflow, ended("b"))

    assert ("b",) == first.ready
    assert ("c",) == second.ready


def test_a_branch_that_is_not_taken_is_skipped_and_the_join_runs() -> None:
    instance = begun(EXCLUSIVE)

    left = told(instance, EXCLUSIVE, ended("fork", "left"))
    joined = told(left.instance, EXCLUSIVE, ended("b"))

    assert {"b"} == left.instance.active_steps
    assert {"c"} == left.instance.skipped_steps
    assert [("completed", "fork"), ("skipped", "c")] == lines(left)
    assert ("d",) == joined.ready


def test_skipping_goes_on_along_a_dead_path() -> None:
    workflow = flow(
        FORK,
        {
            FORK: {"left": A, "right": B},
            B: {"done": C},
            C: {"done": D},
            D: {"done": E},
            A: {"done": E},
            E: {"done": Done},
        },
    )
    instance = begun(workflow)

    advanced = told(instance, workflow, ended("fork", "left"))

    assert {"b", "c", "d"} == advanced.instance.skipped_steps
    assert {"a"} == advanced.instance.active_steps


def test_a_step_with_one_live_and_one_dead_predecessor_waits_for_the_live_one() -> None:
    workflow = flow(
        A,
        {
            A: {"done": [FORK, B]},
            FORK: {"left": C, "right": D},
            C: {"done": E},
            D: {"done": E},
            B: {"done": D},
            E: {"done": Done},
        },
    )
    instance = run(workflow, "a")

    forked = told(instance, workflow, ended("fork", "left"))
    joined = told(forked.instance, workflow, ended("b"), ended("c"))

    assert {"b", "c"} == forked.instance.active_steps
    assert frozenset() == joined.instance.skipped_steps
    assert {"d"} == joined.instance.active_steps


def test_a_skipped_step_has_no_result_and_never_starts() -> None:
    instance = run(EXCLUSIVE)

    instance = after(
        instance, EXCLUSIVE, ended("fork", "right"), ended("b"), ended("c"), ended("d")
    )

    assert "completed" == instance.status
    assert {"fork", "c", "d", "done"} == instance.completed_steps == instance.context.steps.keys()


def test_a_run_completes_only_by_way_of_done() -> None:
    instance = run(DIAMOND, "a", "b", "c")

    completed = after(instance, DIAMOND, ended("d", data={"total": 3}), now=at(9))

    assert "running" == instance.status
    assert instance.finished_at is None
    assert "completed" == completed.status
    assert {} == completed.active
    assert at(9) == completed.finished_at
    assert {} == completed.context.steps["done"]
    assert {"total": 3} == completed.result


def test_done_waits_for_every_branch_that_leads_to_it() -> None:
    workflow = flow(
        A,
        {
            A: {"done": [FORK, B]},
            FORK: {"left": C, "right": Done},
            B: {"done": C},
            C: {"done": Done},
        },
    )
    instance = run(workflow, "a")

    forked = after(instance, workflow, ended("fork", "right"))
    completed = after(forked, workflow, ended("b"), ended("c"))

    assert "running" == forked.status
    assert {"b"} == forked.active_steps
    assert "completed" == completed.status
    assert {"fork": {}, "c": {}} == completed.result


def test_transitions_tell_which_steps_an_end_has_started() -> None:
    instance = run(DIAMOND, "a")

    advanced = told(instance, DIAMOND, ended("c"), ended("b"), ended("d"))

    assert (
        Transition(source="c", event="done", targets=()),
        Transition(source="b", event="done", targets=("d",)),
        Transition(source="d", event="done", targets=("done",)),
        Transition(source="done", event="done", targets=()),
    ) == advanced.transitions


def test_a_transition_does_not_claim_what_it_only_made_room_for() -> None:
    workflow = flow(
        A,
        {
            A: {"done": [FORK, B]},
            FORK: {"left": E, "right": C},
            B: {"done": D},
            C: {"done": D},
            D: {"done": E},
            E: {"done": Done},
        },
    )
    instance = run(workflow, "a", "b")

    advanced = told(instance, workflow, ended("fork", "left"))

    assert [("completed", "fork"), ("skipped", "c")] == lines(advanced)
    assert ("d",) == advanced.ready
    assert (Transition(source="fork", event="left", targets=()),) == advanced.transitions


def test_a_run_that_a_changed_definition_leaves_nowhere_is_not_written() -> None:
    instance = begun(LINE)

    with pytest.raises(InvalidArgument, match="stands nowhere"):
        told(instance, LINE, ended("a", routes={"gone": None}))


def test_an_advance_by_nothing_changes_nothing() -> None:
    instance = run(DIAMOND, "a")

    advanced = advance(instance, DIAMOND, at(0))

    assert not advanced.changed
    assert ("b", "c") == advanced.ready
    assert instance.active == advanced.instance.active
    assert () == advanced.entries


def test_a_thousand_branches_meet_in_one_join() -> None:
    branches = [Work(f"branch-{number}") for number in range(1000)]
    wide = flow(A, {A: {"done": branches}, **{b: {"done": B} for b in branches}, B: {"done": Done}})
    instance = run(wide, "a")

    advanced = told(instance, wide, *(ended(branch.key) for branch in reversed(branches)))

    assert ("b",) == advanced.ready
    assert 1000 == len([line for line in lines(advanced) if line[0] == "completed"])
