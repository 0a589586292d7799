"""Config: what an edge gives to the step that it leads to."""

import pytest

from engine.runs import Work, after, at, begun, ended, failed, flow, line, told
from hephaestus.engine import retry, step_context
from hephaestus.retry import Retry
from hephaestus.steps import Done

A, B, C, D = (Work(key) for key in "abcd")
FORK = Work("fork", "left", "right")

MEETING = flow(
    A,
    {
        A: {"done": [B, C]},
        C: {"done": D.using(by="c", size=1)},
        B: {"done": D.using(by="b")},
        D: {"done": Done},
    },
)


def test_the_start_step_carries_its_config() -> None:
    workflow = flow(A.using(size=3), {A: {"done": Done}})

    instance = begun(workflow)

    assert {"a": {"size": 3}} == instance.step_configs


def test_each_branch_of_a_fan_out_carries_its_own_config() -> None:
    workflow = flow(
        A, {A: {"done": [B.using(size=1), C]}, B: {"done": D}, C: {"done": D}, D: {"done": Done}}
    )

    instance = after(begun(workflow), workflow, ended("a"))

    assert {"b": {"size": 1}} == instance.step_configs
    assert instance.active["c"].config is None


@pytest.mark.parametrize("order", ["bc", "cb"])
def test_the_last_edge_in_declaration_order_wins_whichever_step_ends_last(
    order: str,
) -> None:
    instance = after(begun(MEETING), MEETING, ended("a"))

    for key in order:
        instance = after(instance, MEETING, ended(key))

    assert {"d": {"by": "b"}} == instance.step_configs


def test_an_edge_without_config_does_not_take_away_that_of_an_earlier_one() -> None:
    workflow = flow(
        A, {A: {"done": [B, C]}, B: {"done": D.using(by="b")}, C: {"done": D}, D: {"done": Done}}
    )

    instance = after(begun(workflow), workflow, ended("a"), ended("b"), ended("c"))

    assert {"d": {"by": "b"}} == instance.step_configs


def test_the_config_of_an_edge_that_was_not_taken_does_not_count() -> None:
    workflow = flow(
        FORK,
        {
            FORK: {"left": B, "right": C},
            B: {"done": D.using(by="b")},
            C: {"done": D.using(by="c")},
            D: {"done": Done},
        },
    )

    instance = after(begun(workflow), workflow, ended("fork", "left"), ended("b"))

    assert {"d": {"by": "b"}} == instance.step_configs


def test_the_step_finds_it_in_its_context() -> None:
    workflow = flow(A.using(size=3), {A: {"done": B}, B: {"done": Done}})
    first = begun(workflow)
    second = after(first, workflow, ended("a"))

    contexts = [
        step_context(workflow, instance, key, instance.active[key])
        for instance, key in ((first, "a"), (second, "b"))
    ]

    assert [{"size": 3}, {}] == [ctx.config for ctx in contexts]


def test_it_is_gone_with_the_step_and_kept_in_the_history() -> None:
    workflow = flow(A.using(size=3), {A: {"done": B}, B: {"done": Done}})

    advanced = told(begun(workflow), workflow, ended("a"))

    assert {} == advanced.instance.step_configs
    assert {"size": 3} == line(advanced, "completed").input


def test_it_outlasts_failed_attempts_and_the_failure_of_the_run() -> None:
    workflow = flow(A.using(size=3), {A: {"done": Done}}, retry=Retry(2))
    instance = after(begun(workflow), workflow, failed("a"))

    stopped = after(instance, workflow, failed("a", attempt=2), now=at(5))
    again = retry(stopped, workflow, at(9)).instance

    assert {"a": {"size": 3}} == instance.step_configs == again.step_configs
