"""Choose: which of the declared targets follow, decided when the step has ended."""

from typing import Any

import pytest

from engine.runs import Work, after, at, begun, ended, flow, halted, line, lines, posted, told
from hephaestus.engine import advance, retry
from hephaestus.errors import Fatal
from hephaestus.steps import Done, StepContext, Wait, WaitForEvent
from hephaestus.transitions import Choose
from hephaestus.workflow import Workflow

A, B, C, D, E = (Work(key) for key in "abcde")


def choosing(function: Any, first: Any = A, event: str = "done") -> type[Workflow]:
    """A step, then a choice among three, then a join."""
    meet = {key: {"done": E} for key in (B, C, D)}
    return flow(first, {first: {event: Choose(function, [B, C, D])}, **meet, E: {"done": Done}})


def raising(ctx: StepContext) -> object:
    raise LookupError("no such shelf")


def test_the_targets_that_are_not_picked_are_skipped() -> None:
    workflow = choosing(lambda ctx: C)

    instance = after(begun(workflow), workflow, ended("a"))

    assert {"c"} == instance.active_steps
    assert {"b", "d"} == instance.skipped_steps


def test_several_targets_may_be_picked() -> None:
    workflow = choosing(lambda ctx: [D, B])

    advanced = told(begun(workflow), workflow, ended("a"))

    assert ("b", "d") == advanced.ready
    assert {"c"} == advanced.instance.skipped_steps


def test_it_sees_the_result_of_its_own_step_and_of_those_before_it_but_of_no_sibling() -> None:
    seen: list[dict[str, Any]] = []

    def pick(ctx: StepContext) -> object:
        seen.append(ctx.steps)
        return D

    workflow = flow(
        A,
        {A: {"done": [B, C]}, B: {"done": Choose(pick, [D])}, C: {"done": D}, D: {"done": Done}},
    )
    instance = after(begun(workflow), workflow, ended("a", data={"x": 1}), ended("c"))

    after(instance, workflow, ended("b", data={"y": 2}))

    assert [{"a": {"x": 1}, "b": {"y": 2}}] == seen


def test_it_sees_what_earlier_steps_returned_in_the_same_advance() -> None:
    seen: list[StepContext] = []

    def pick(ctx: StepContext) -> object:
        seen.append(ctx)
        return Done

    workflow = flow(A, {A: {"done": B}, B: {"done": Choose(pick, [Done])}})

    after(begun(workflow), workflow, ended("a", data={"x": 1}, metadata={"shard": 3}), ended("b"))

    assert [{"a": {"x": 1}, "b": {}}] == [ctx.steps for ctx in seen]
    assert [{"shard": 3}] == [ctx.instance.runtime_metadata for ctx in seen]


def test_a_choice_that_came_with_the_outcome_is_not_asked_for_again() -> None:
    workflow = choosing(raising)

    instance = after(begun(workflow), workflow, ended("a", routes={"d": None}))

    assert {"d"} == instance.active_steps


def test_a_target_may_be_picked_with_config_of_its_own() -> None:
    declared = [B.using(size=1), C.using(size=1), D.using(size=1)]
    meet = {key: {"done": E} for key in (B, C, D)}
    choose = Choose(lambda ctx: [B, C.using(size=7)], declared)
    workflow = flow(A, {A: {"done": choose}, **meet, E: {"done": Done}})

    instance = after(begun(workflow), workflow, ended("a"))

    assert {"b": {"size": 1}, "c": {"size": 7}} == instance.step_configs


def test_it_is_asked_after_an_event_with_the_payload_as_its_steps_data() -> None:
    paid = WaitForEvent("paid")
    workflow = choosing(lambda ctx: B if ctx[paid]["in_full"] else C, paid, "received")

    instance = after(begun(workflow), workflow, posted("paid", "paid", {"in_full": True}))

    assert {"b"} == instance.active_steps


def test_it_is_asked_after_a_timer() -> None:
    workflow = choosing(lambda ctx: C, Wait(5), "timeout")

    instance = after(begun(workflow), workflow, now=at(5))

    assert {"c"} == instance.active_steps


def test_it_is_asked_after_an_answer() -> None:
    workflow = choosing(lambda ctx: D if ctx["a"]["ok"] else B)
    instance = after(begun(workflow), workflow, halted("a"))

    instance = after(instance, workflow, posted("a", "done", {"ok": True}))

    assert {"d"} == instance.active_steps


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (raising, "raised LookupError: no such shelf"),
        (lambda ctx: None, "chose nothing"),
        (lambda ctx: [], "chose nothing"),
        (lambda ctx: E, "returned 'e', which it does not declare"),
        (lambda ctx: "b", "returned no step"),
    ],
    ids=["raises", "nothing", "an empty list", "an undeclared step", "no step"],
)
def test_a_choice_that_is_none_fails_the_step_at_once(function: Any, reason: str) -> None:
    workflow = choosing(function)

    advanced = told(begun(workflow), workflow, ended("a"))

    error = advanced.instance.error
    assert "failed" == advanced.instance.status
    assert error is not None
    assert ("a", "Fatal", 1) == (error.step, error.type, error.attempt)
    assert reason in error.message
    assert [("failed", "a")] == lines(advanced)
    assert {} == advanced.instance.context.steps


def test_a_reason_that_the_function_gives_itself_is_kept_as_it_is() -> None:
    def refuse(ctx: StepContext) -> object:
        raise Fatal("out of stock")

    workflow = choosing(refuse)

    advanced = told(begun(workflow), workflow, ended("a"))

    assert "out of stock" == str(line(advanced, "failed").error).rpartition(": ")[2]


class Moody:
    """A choice that raises the first time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, ctx: StepContext) -> object:
        self.asked += 1
        if self.asked == 1:
            raise LookupError("no such shelf")
        return B


def test_an_event_step_whose_choice_failed_waits_again_after_a_retry() -> None:
    paid = WaitForEvent("paid", timeout=60)
    row = {"received": Choose(Moody(), [B, C]), "timeout": C}
    workflow = flow(paid, {paid: row, B: {"done": Done}, C: {"done": Done}})
    failed = after(begun(workflow), workflow, posted("paid", "paid"), now=at(10))

    again = retry(failed, workflow, at(100))
    taken = after(again.instance, workflow, posted("paid", "paid", {"in_full": True}), now=at(101))

    assert "failed" == failed.status
    assert "waiting" == again.instance.status
    assert () == again.ready
    assert 2 == again.instance.active["paid"].attempt
    assert at(160) == again.instance.active["paid"].deadline
    assert {"b"} == taken.active_steps
    assert {"in_full": True} == taken.context.steps["paid"]


def test_a_pause_whose_choice_failed_is_waited_for_again_after_a_retry() -> None:
    workflow = choosing(Moody(), Wait(5), "timeout")
    failed = after(begun(workflow), workflow, now=at(5))

    again = retry(failed, workflow, at(8))
    early = after(again.instance, workflow, now=at(12))
    over = after(again.instance, workflow, now=at(13))

    assert "failed" == failed.status
    assert () == again.ready
    assert "waiting" == again.instance.status == early.status
    assert {"b"} == over.active_steps


def test_a_halted_step_whose_choice_failed_runs_again_after_a_retry() -> None:
    workflow = choosing(Moody())
    instance = after(begun(workflow), workflow, halted("a"))
    failed = after(instance, workflow, posted("a", "done"))

    again = retry(failed, workflow, at(8))

    assert "failed" == failed.status
    assert ("a",) == again.ready
    assert again.instance.active["a"].halt is None
    assert "running" == again.instance.status


def test_a_lost_commit_asks_again_and_gets_the_same_run() -> None:
    workflow = choosing(lambda ctx: [B, D])
    instance, outcome = begun(workflow), ended("a")

    first = advance(instance, workflow, at(1), happened=[outcome])
    second = advance(instance, workflow, at(1), happened=[outcome])

    assert first == second
