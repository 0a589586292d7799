"""Workflows as classes: what they declare, and what is refused."""

import types
from collections.abc import Mapping
from typing import Any

import pytest

from hephaestus import registry
from hephaestus.errors import DefinitionError, InvalidArgument, UnknownWorkflow
from hephaestus.key import Unique
from hephaestus.retry import Retry
from hephaestus.steps import Done, StepContext, WaitForEvent, step
from hephaestus.transitions import Choose, Edge
from hephaestus.workflow import Workflow

paid = WaitForEvent("paid")


@step(events=("valid", "invalid"))
def check(ctx: StepContext) -> str:
    return "valid"


SOUND: Mapping[str, Any] = {
    "start_step": check,
    "transitions": {
        check: {"valid": paid, "invalid": Choose(lambda _: Done, [paid, Done])},
        paid: {"received": Done},
    },
}


def define(body: Mapping[str, Any] = SOUND, /, **declared: Any) -> type[Workflow]:
    """Define a workflow `Order` of this module."""

    def fill(namespace: dict[str, Any]) -> None:
        namespace |= {"__module__": __name__, "__qualname__": "Order", **body}

    made: type[Workflow] = types.new_class("Order", (Workflow,), declared, fill)
    return made


def test_a_workflow_declares_no_more_than_its_key_and_its_graph() -> None:
    order = define(unique="orderid")

    assert f"{__name__}.Order" == order.name == order.family
    assert (1, (), {}, Unique("orderid"), None, None) == (
        order.version,
        order.tags,
        order.metadata,
        order.unique,
        order.retry_policy,
        order.app,
    )
    assert ({}, None) == (order.versions, order.current)


def test_a_workflow_shows_what_it_declares() -> None:
    order = define(
        unique=Unique("orderid", scope="version"),
        name="checkout",
        version=3,
        tags=["shop", "eu"],
        metadata={"team": {"mail": ["a@b"]}},
        retry=Retry(2),
        app="backend",
    )

    assert "checkout" == order.name == order.family
    assert (3, ("shop", "eu"), {"team": {"mail": ["a@b"]}}) == (
        order.version,
        order.tags,
        order.metadata,
    )
    assert (Unique("orderid", scope="version"), Retry(2), "backend") == (
        order.declared_unique(),
        order.retry_policy,
        order.app,
    )


def test_metadata_is_copied_when_it_is_declared() -> None:
    metadata = {"team": ["a"]}

    order = define(unique="orderid", metadata=metadata)
    metadata["team"].append("b")

    assert {"team": ["a"]} == order.metadata


def test_a_workflow_shows_its_graph() -> None:
    order = define(unique="orderid")

    assert {"check", "paid", "done"} == set(order.graph.steps)
    assert order.edges == order.graph.edges
    assert Edge(source="check", event="valid", targets=("paid",), dynamic=False) == order.edges[0]


def test_predecessors_are_found_by_step_and_by_key() -> None:
    order = define(unique="orderid")

    assert {"check"} == order.predecessors(paid) == order.predecessors("paid")
    assert {"check", "paid"} == order.predecessors(Done)
    assert frozenset() == order.predecessors(check) == order.predecessors("nobody")


def test_a_workflow_is_registered_by_its_definition() -> None:
    order = define(unique="orderid", name="registered")

    assert order is registry.find("registered", 1)


def test_a_reloaded_workflow_replaces_the_old_one() -> None:
    define(unique="orderid", version=1)

    again = define(unique="orderid", version=2)

    assert again is registry.find(f"{__name__}.Order", 2)


def test_a_second_workflow_of_one_name_is_refused() -> None:
    define(unique="orderid", name="taken")

    with pytest.raises(DefinitionError, match="workflow 'taken' is already defined by "):
        define({**SOUND, "__qualname__": "Another"}, unique="orderid", name="taken")


def test_a_workflow_without_a_key_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"Order' does not say what identifies a run; add un"):
        define()
    with pytest.raises(DefinitionError, match="does not say what identifies a run"):
        define(version=2)


@pytest.mark.parametrize("unique", ["", "Order", "order_id", 5, ["orderid"]])
def test_a_wrong_key_is_a_wrong_argument_in_a_definition(unique: Any) -> None:
    with pytest.raises(DefinitionError, match="Order': a unique key must be") as caught:
        define(unique=unique)

    assert isinstance(caught.value, InvalidArgument)


@pytest.mark.parametrize("tags", ["shop", [1], ["a", None], {"a"}, {"a": 1}, 5, ["\0"]])
def test_tags_are_a_list_of_texts(tags: Any) -> None:
    with pytest.raises(DefinitionError, match=r"Order': tags"):
        define(unique="orderid", tags=tags)


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        "team",
        {1: "a"},
        {"a": {1: "b"}},
        {"a": [{2: "b"}]},
        {"a": float("nan")},
        {"a": [float("inf")]},
        {"a": object()},
        {"a": (1, 2)},
        {"a": {"b": {1}}},
        {"a": b""},
    ],
    ids=range(11),
)
def test_metadata_is_plain_json_at_every_depth(metadata: Any) -> None:
    with pytest.raises(DefinitionError, match=r"Order': metadata"):
        define(unique="orderid", metadata=metadata)


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", 2**31])
def test_a_version_is_a_whole_number_from_one(version: Any) -> None:
    with pytest.raises(DefinitionError, match=r"Order': version must be"):
        define(unique="orderid", version=version)


@pytest.mark.parametrize("name", ["", "a b", " a", "a\n", "a\0", "x" * 256, 5])
def test_a_name_is_one_word(name: Any) -> None:
    with pytest.raises(DefinitionError, match="workflow Order: name must be"):
        define(unique="orderid", name=name)


@pytest.mark.parametrize("retry", [3, "exponential"])
def test_retry_is_a_policy(retry: Any) -> None:
    with pytest.raises(DefinitionError, match="retry must be a Retry"):
        define(unique="orderid", retry=retry)


@pytest.mark.parametrize("app", ["", 5])
def test_app_is_a_name(app: Any) -> None:
    with pytest.raises(DefinitionError, match="app must be the name of an app"):
        define(unique="orderid", app=app)


def test_an_unsound_graph_is_refused_and_not_registered() -> None:
    body = {"start_step": check, "transitions": {check: {"valid": Done}}}

    with pytest.raises(DefinitionError, match=r"workflow 'unsound', step 'check': .*'invalid'"):
        define(body, unique="orderid", name="unsound")

    with pytest.raises(UnknownWorkflow):
        registry.find("unsound")


def test_a_workflow_without_a_start_is_refused() -> None:
    with pytest.raises(DefinitionError, match="has no start_step"):
        define({"transitions": SOUND["transitions"]}, unique="orderid")


def test_the_earlier_fault_is_told_where_a_definition_has_several() -> None:
    faults: dict[str, Any] = {
        "tags": "shop",
        "metadata": [],
        "unique": "Bad",
        "version": 0,
        "start_step": None,
    }
    told = []

    for fault in list(faults):
        body = {**SOUND, "transitions": {}}
        body |= {"start_step": None} if "start_step" in faults else {}
        declared = {"unique": "orderid"} | {k: v for k, v in faults.items() if k != "start_step"}
        with pytest.raises((DefinitionError, InvalidArgument)) as caught:
            define(body, **declared)
        told.append(str(caught.value))
        del faults[fault]

    for message, word in zip(
        told, ("tags", "metadata", "unique key", "version", "start_step"), strict=True
    ):
        assert word in message


def test_an_unknown_declaration_is_refused() -> None:
    with pytest.raises(DefinitionError, match="no option 'uniqe'; did you mean 'unique'"):
        define(uniqe="orderid")


def test_a_workflow_may_inherit_its_graph_but_not_its_key() -> None:
    class Base(Workflow, unique="base", tags=["a"]):
        start_step = check
        transitions = SOUND["transitions"]

    class Derived(Base, unique="derived"): ...

    assert (Base.edges, Unique("derived"), ()) == (Derived.edges, Derived.unique, Derived.tags)
    assert Derived is registry.find(Derived.name, 1)
    with pytest.raises(DefinitionError, match="does not say what identifies a run"):

        class Keyless(Base): ...


def test_a_workflow_may_be_defined_within_another_class() -> None:
    class Suite:
        class Order(Workflow, unique="orderid"):
            start_step = check
            transitions = SOUND["transitions"]

    assert Suite.Order is registry.find(Suite.Order.name, 1)


def test_a_plain_workflow_resolves_to_itself() -> None:
    order = define(unique="orderid", version=3)

    assert order is order.resolve() is order.resolve(3)


@pytest.mark.parametrize("version", [1, 4, True, "3"])
def test_a_plain_workflow_has_no_other_version(version: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"has no version .* \(versions: 3\)"):
        define(unique="orderid", version=3).resolve(version)


def test_a_plain_workflow_takes_no_options() -> None:
    with pytest.raises(TypeError, match=r"start of workflow .*'tenant'"):
        define(unique="orderid").resolve(None, {"tenant": "x"})


def test_the_base_class_itself_cannot_run() -> None:
    with pytest.raises(InvalidArgument, match="workflow Workflow has no key"):
        Workflow.resolve()
