"""What a step sees of its run, and what its end adds to it."""

import msgspec
import pytest

from engine.runs import RUN, Work, after, at, begun, ended, failed, flow, told
from hephaestus.engine import step_context
from hephaestus.instance import Instance
from hephaestus.steps import Done, StepContext
from hephaestus.workflow import Workflow

A, B, C, D = (Work(key) for key in "abcd")
FORK = Work("fork", "left", "right")

DIAMOND = flow(
    A,
    {A: {"done": [B, C]}, B: {"done": D}, C: {"done": D}, D: {"done": Done}},
    metadata={"team": "billing"},
)
EXCLUSIVE = flow(
    FORK, {FORK: {"left": B, "right": C}, B: {"done": D}, C: {"done": D}, D: {"done": Done}}
)


def ctx(workflow: type[Workflow], instance: Instance, key: str) -> StepContext:
    return step_context(workflow, instance, key, instance.active[key])


def test_the_first_step_sees_the_initial_data_and_no_result() -> None:
    instance = begun(DIAMOND, {"order": 42})

    seen = ctx(DIAMOND, instance, "a")

    assert {"order": 42} == seen.initial
    assert {} == seen.steps


def test_a_step_sees_the_results_of_those_that_lead_to_it() -> None:
    instance = after(begun(DIAMOND), DIAMOND, ended("a", data={"total": 3}), ended("b"), ended("c"))

    seen = ctx(DIAMOND, instance, "d")

    assert {"a": {"total": 3}, "b": {}, "c": {}} == seen.steps


@pytest.mark.parametrize("order", ["bc", "cb"])
def test_the_results_come_in_the_order_of_the_graph_in_every_process(order: str) -> None:
    instance = after(begun(DIAMOND), DIAMOND, ended("a"), *(ended(key) for key in order))

    seen = ctx(DIAMOND, instance, "d")

    assert ["a", "b", "c"] == list(seen.steps)


def test_a_sibling_that_happens_to_have_ended_is_not_shown() -> None:
    instance = after(begun(DIAMOND), DIAMOND, ended("a"), ended("b", data={"total": 3}))

    seen = ctx(DIAMOND, instance, "c")

    assert {"a": {}} == seen.steps
    assert B not in seen


def test_a_skipped_step_is_not_shown() -> None:
    instance = after(begun(EXCLUSIVE), EXCLUSIVE, ended("fork", "right"), ended("c"))

    seen = ctx(EXCLUSIVE, instance, "d")

    assert {"fork": {}, "c": {}} == seen.steps


def test_a_step_sees_for_whom_it_works() -> None:
    instance = after(begun(DIAMOND), DIAMOND, ended("a", metadata={"shard": 3}))
    tagged = msgspec.structs.replace(instance, tags=("eu",), telemetry_metadata={"trace": "t1"})

    seen = ctx(DIAMOND, tagged, "b")

    identity = seen.instance
    assert (("eu",), {"trace": "t1"}) == (identity.tags, identity.telemetry_metadata)
    assert ("orderid::1", RUN, DIAMOND.name, 1) == (
        identity.id, identity.run_id, identity.workflow, identity.workflow_version,
    )  # fmt: skip
    assert ({"team": "billing"}, {"shard": 3}) == (identity.metadata, identity.runtime_metadata)
    assert (1, f"{RUN}/b", None) == (seen.attempt, seen.idempotency_key, seen.answer)


def test_a_later_attempt_has_the_same_idempotency_key() -> None:
    instance = after(begun(DIAMOND), DIAMOND, failed("a"))

    seen = ctx(DIAMOND, instance, "a")

    assert (2, f"{RUN}/a") == (seen.attempt, seen.idempotency_key)


@pytest.mark.parametrize("order", ["bc", "cb"])
def test_the_final_context_does_not_depend_on_the_order_of_parallel_steps(
    order: str,
) -> None:
    instance = after(begun(DIAMOND), DIAMOND, ended("a"))

    for key in (*order, "d"):
        instance = after(instance, DIAMOND, ended(key, data={"by": key}))

    results = {"a": {}, "b": {"by": "b"}, "c": {"by": "c"}, "d": {"by": "d"}, "done": {}}
    assert results == instance.context.steps


def test_the_initial_data_never_changes() -> None:
    instance = begun(DIAMOND, {"order": 42})

    seen = ctx(DIAMOND, instance, "a")
    seen.initial["order"] = 43
    instance = after(instance, DIAMOND, ended("a", data={"order": 44}))

    assert {"order": 42} == instance.context.initial


def test_metadata_is_merged_and_a_later_writer_wins() -> None:
    instance = begun(DIAMOND)

    first = after(instance, DIAMOND, ended("a", metadata={"shard": 1, "zone": "x"}))
    second = after(first, DIAMOND, ended("b", metadata={"shard": 2}))
    third = after(second, DIAMOND, ended("c"))

    assert {} == instance.runtime_metadata
    assert {"shard": 1, "zone": "x"} == first.runtime_metadata
    assert {"shard": 2, "zone": "x"} == second.runtime_metadata == third.runtime_metadata


def test_an_advance_leaves_the_run_that_it_was_given_as_it_was() -> None:
    instance = after(begun(DIAMOND), DIAMOND, ended("a"))
    copy = after(begun(DIAMOND), DIAMOND, ended("a"))

    advanced = told(instance, DIAMOND, ended("b", data={"x": 1}, metadata={"y": 2}), now=at(5))

    assert copy == instance
    assert advanced.instance != instance
    assert instance.revision + 1 == advanced.instance.revision
