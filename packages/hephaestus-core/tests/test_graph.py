"""The graph: what it says of a sound workflow, checked against a plain search."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.errors import InvalidArgument
from hephaestus.graph import Graph, reach, sorted_keys
from hephaestus.proof import prove
from hephaestus.steps import Done, FunctionStep, Step, WaitForEvent
from hephaestus.transitions import Choose, Edge


def named(key: str, *events: str) -> Step:
    return FunctionStep(lambda _: None, key=key, events=events or ("done",))


check = named("check", "valid", "invalid")
paid = WaitForEvent("paid", timeout=60)
pack, bill, ship = named("pack"), named("bill"), named("ship", "sent", "done")


def order_graph() -> Graph:
    return prove(
        "Order",
        check.using(strict=True),
        {
            check: {"valid": paid, "invalid": Choose(lambda _: Done, [paid.using(n=1), Done])},
            paid: {"received": [pack, bill.using(vat=19)], "timeout": Done},
            pack: {"done": ship},
            bill: {"done": ship},
            ship: {"sent": Done, "done": Done},
        },
    )


def test_a_graph_knows_its_start_and_its_steps_in_the_order_of_their_declaration() -> None:
    graph = order_graph()

    assert ("check", {"strict": True}) == (graph.start, graph.start_config)
    assert ["check", "paid", "done", "pack", "bill", "ship"] == list(graph.steps)
    assert check is graph.steps["check"]


def test_a_start_without_config_has_none() -> None:
    assert prove("Order", pack, {pack: {"done": Done}}).start_config is None


def test_a_workflow_may_be_done_at_once() -> None:
    assert ["done"] == list(prove("Nothing", Done, {}).steps)


def test_a_graph_gives_the_targets_of_an_event_with_their_config() -> None:
    graph = order_graph()

    assert {"pack": None, "bill": {"vat": 19}} == graph.target("paid", "received")
    assert {"done": None} == graph.target("paid", "timeout")
    assert isinstance(graph.target("check", "invalid"), Choose)


@pytest.mark.parametrize(
    ("key", "event", "hint"),
    [
        ("check", "vaild", r"step 'check' .* did you mean 'valid'\? \(events: valid, invalid\)"),
        ("nobody", "valid", r"step 'nobody' has no transition .*\(events: none\)"),
        ("done", "done", r"step 'done' has no transition"),
    ],
)
def test_an_event_without_a_transition_is_refused(key: str, event: str, hint: str) -> None:
    with pytest.raises(InvalidArgument, match=hint):
        order_graph().target(key, event)


def test_neighbours_come_in_the_order_of_their_declaration_and_count_what_may_be_chosen() -> None:
    graph = order_graph()

    assert ("paid", "done") == graph.successors["check"]
    assert ("pack", "bill", "done") == graph.successors["paid"]
    assert ("pack", "bill") == graph.predecessors["ship"]
    assert ("check", "paid", "ship") == graph.predecessors["done"]
    assert () == graph.predecessors["check"]


def test_ancestors_are_all_steps_that_lead_to_a_step_each_after_its_own() -> None:
    graph = order_graph()

    assert () == graph.ancestors["check"]
    assert ("check", "paid", "pack", "bill") == graph.ancestors["ship"]
    assert set(graph.steps) == set(graph.ancestors)
    assert len(graph.steps) == len(graph.ancestors)


def test_edges_list_static_transitions_before_choices() -> None:
    edges = order_graph().edges

    assert Edge(source="check", event="valid", targets=("paid",), dynamic=False) == edges[0]
    assert (
        Edge(source="check", event="invalid", targets=("paid", "done"), dynamic=True) == edges[-1]
    )
    assert ["check", "paid", "paid", "pack", "bill", "ship", "ship", "check"] == [
        edge.source for edge in edges
    ]


def test_the_takers_of_an_event_are_all_steps_that_could_take_it() -> None:
    graph = order_graph()

    assert ("paid",) == graph.takers("paid") == graph.takers("received")
    assert ("pack", "bill", "ship") == graph.takers("done")
    assert () == graph.takers("refunded")


def test_a_graph_never_changes() -> None:
    graph: Any = order_graph()

    with pytest.raises(TypeError):
        graph.steps["more"] = check
    with pytest.raises(TypeError):
        graph.predecessors["ship"] = ()


Neighbours = dict[str, tuple[str, ...]]


@st.composite
def directed_graphs(draw: st.DrawFn, acyclic: bool = False) -> Neighbours:
    names = [f"s{n}" for n in range(draw(st.integers(1, 8)))]
    return {
        name: tuple(
            draw(st.lists(st.sampled_from(names[n + 1 :]), unique=True, max_size=4))
            if acyclic and names[n + 1 :]
            else ([] if acyclic else draw(st.lists(st.sampled_from(names), unique=True)))
        )
        for n, name in enumerate(names)
    }


def reversed_neighbours(after: Neighbours) -> Neighbours:
    return {key: tuple(k for k in after if key in after[k]) for key in after}


def searched(after: Neighbours, key: str) -> set[str]:
    found: set[str] = set()
    pending = [*after[key]]
    while pending:
        if (step := pending.pop()) not in found:
            found.add(step)
            pending += after[step]
    return found


@given(after=directed_graphs(acyclic=True))
def test_what_lies_beyond_a_step_is_what_a_search_finds(after: Neighbours) -> None:
    order = sorted_keys(after, reversed_neighbours(after))[::-1]

    bits = reach(order, after)

    assert {key: searched(after, key) for key in after} == {
        key: {name for n, name in enumerate(order) if bits[key] >> n & 1} for key in after
    }


@given(after=directed_graphs())
def test_sorting_leaves_out_just_what_lies_in_a_cycle_or_behind_one(after: Neighbours) -> None:
    before = reversed_neighbours(after)
    cyclic = {key for key in after if key in searched(after, key)}

    order = sorted_keys(after, before)

    assert {key for key in after if not cyclic & (searched(before, key) | {key})} == set(order)
    assert all(order.index(k) < order.index(key) for key in order for k in before[key])
