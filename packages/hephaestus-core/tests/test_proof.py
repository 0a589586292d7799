"""The proof: what each rule refuses, what it lets pass, and whether it agrees with brute force."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hephaestus.errors import DefinitionError
from hephaestus.graph import Graph
from hephaestus.proof import prove
from hephaestus.steps import Done, FunctionStep, Step, StepContext, Wait, WaitForEvent
from hephaestus.transitions import Choose


def named(key: str, *events: str) -> FunctionStep[[StepContext], None]:
    return FunctionStep(lambda _: None, key=key, events=events or ("done",))


a, b, c, d = named("a"), named("b"), named("c"), named("d")
two = named("two", "valid", "invalid")


def refused(transitions: object, start: object = a) -> str:
    with pytest.raises(DefinitionError) as caught:
        prove("Order", start, transitions)
    return str(caught.value)


def accepted(transitions: Mapping[Any, Any], start: object = a) -> Graph:
    return prove("Order", start, transitions)


@pytest.mark.parametrize(
    ("start", "why"),
    [
        (None, "workflow 'Order' has no start_step; name its first step"),
        ([a], "workflow 'Order': start_step must be one step, got [<step 'a'>]"),
        (Choose(lambda _: a, [a]), "workflow 'Order': start_step must be one step, got <Choose("),
        ("a", "workflow 'Order': start_step: 'a' is not a step; "),
        (Wait, "workflow 'Order': start_step: step Wait cannot be made without arguments"),
    ],
    ids=range(5),
)
def test_the_start_is_one_step(start: object, why: str) -> None:
    assert refused({a: {"done": Done}}, start).startswith(why)


@pytest.mark.parametrize("transitions", [None, [], [(a, {"done": Done})], a])
def test_transitions_are_a_mapping(transitions: object) -> None:
    assert "workflow 'Order': transitions must be a mapping" in refused(transitions)


@pytest.mark.parametrize("row", [None, Done, [Done], "done"])
def test_a_row_is_a_mapping(row: object) -> None:
    assert "workflow 'Order', step 'a': its row must be a mapping" in refused({a: row})


@pytest.mark.parametrize("source", ["a", 5, None, len])
def test_a_row_belongs_to_a_step(source: object) -> None:
    assert "workflow 'Order': transitions has a row for no step: " in refused(
        {source: {"done": Done}}
    )


def test_config_belongs_to_targets_only() -> None:
    assert "transitions has a row for 'a' with config" in refused({a.using(n=1): {"done": Done}})


def test_nothing_follows_done() -> None:
    assert "workflow 'Order': nothing follows Done" in refused({a: {"done": Done}, Done: {}})


def test_two_rows_of_one_step_are_refused() -> None:
    class Ship(Step):
        def execute(self, ctx: StepContext) -> None: ...

    transitions = {Ship: {"done": Done}, Ship.using().step: {"done": Done}}

    assert "transitions has two rows for step 'ship'" in refused(transitions, Ship)


@pytest.mark.parametrize("event", [5, None, ("done",)])
def test_an_event_is_a_text(event: object) -> None:
    assert "workflow 'Order', step 'a': an event is a text, got " in refused({a: {event: Done}})


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (None, "None is not a step"),
        ("b", "'b' is not a step"),
        ([], "the list of targets is empty"),
        ([b, b], "the target 'b' is listed twice"),
        ([b, Choose(lambda _: c, [c])], "a Choose stands alone"),
        (Choose(lambda _: b, b), "give its targets as a list"),  # type: ignore[arg-type]
        (Choose(lambda _: b, []), "the list of targets is empty"),
    ],
    ids=range(7),
)
def test_a_wrong_target_is_refused_with_its_step_and_event(target: object, why: str) -> None:
    message = refused({a: {"done": target}})

    assert message.startswith("workflow 'Order', step 'a', event 'done': ")
    assert why in message


def test_two_steps_with_one_key_are_refused_and_both_named() -> None:
    class Pay(Step):
        key = "b"

        def execute(self, ctx: StepContext) -> None: ...

    message = refused({a: {"done": [b, Pay]}, b: {"done": c}, Pay: {"done": c}, c: {"done": Done}})

    assert "two steps have the key 'b': " in message
    assert "<lambda>" in message
    assert f"{Pay.__module__}.{Pay.__qualname__}" in message


def test_a_step_that_was_made_twice_is_explained() -> None:
    message = refused({a: {"done": WaitForEvent("paid")}, WaitForEvent("paid"): {"received": Done}})

    assert "two steps have the key 'paid'" in message
    assert "make the step once and use it in both places" in message


def test_steps_of_one_key_among_the_targets_of_a_choice_are_refused() -> None:
    choice = Choose(lambda _: b, [b, named("b")])

    assert "two steps have the key 'b'" in refused({a: {"done": choice}, b: {"done": Done}})


def test_done_may_be_written_in_several_ways() -> None:
    accepted({a: {"done": two}, two: {"valid": Done, "invalid": Done()}})


@pytest.mark.parametrize(
    ("transitions", "cycle"),
    [
        ({a: {"done": a}}, "a → a"),
        ({a: {"done": b}, b: {"done": c}, c: {"done": b}}, "b → c → b"),
        ({a: {"done": b}, b: {"done": Choose(lambda _: a, [a, Done])}}, "a → b → a"),
        ({a: {"done": Done}, b: {"done": b}}, "b → b"),
        (
            {two: {"valid": a, "invalid": Done}, a: {"done": two}, b: {"done": c}},
            "two → a → two",
        ),
    ],
    ids=range(5),
)
def test_a_cycle_is_refused_and_shown(transitions: Mapping[Any, Any], cycle: str) -> None:
    start = next(iter(transitions))

    assert refused(transitions, start) == (
        f"workflow 'Order': these steps form a cycle: {cycle}; a graph has no cycles: "
        "to repeat a step use Retry, to begin again start a new run"
    )


def test_steps_that_cannot_be_reached_are_refused_in_sorted_order() -> None:
    message = refused({d: {"done": c}, a: {"done": Done}, c: {"done": Done}, b: {"done": Done}})

    assert "the start step 'a' does not lead to 'b', 'c', 'd'; " in message


def test_a_path_that_does_not_end_in_done_is_refused() -> None:
    message = refused({a: {"done": [c, b]}, b: {}})

    assert "every path must end in Done, and nothing follows 'b', 'c'; " in message


@pytest.mark.parametrize("transitions", [{}, {b: {"done": Done}}], ids=range(2))
def test_a_start_without_a_row_is_named(transitions: Mapping[Any, Any]) -> None:
    assert refused(transitions, two) == (
        "workflow 'Order': the start step 'two' has no row in transitions; say there what "
        "follows each of its events (valid, invalid)"
    )


def test_a_start_with_an_empty_row_is_a_path_that_does_not_end_in_done() -> None:
    assert "nothing follows 'a'" in refused({a: {}})


def test_branches_that_never_meet_are_refused() -> None:
    message = refused({a: {"done": [b, c]}, b: {"done": Done}, c: {"done": Done}})

    assert message.startswith(
        "workflow 'Order', step 'a', event 'done': the branches 'b', 'c' share no step before Done"
    )


def test_branches_that_meet_only_in_pairs_are_refused() -> None:
    ab, bc, ca = named("ab"), named("bc"), named("ca")
    transitions = {
        d: {"done": [a, b, c]},
        a: {"done": Choose(lambda _: ab, [ab, ca])},
        b: {"done": Choose(lambda _: ab, [ab, bc])},
        c: {"done": Choose(lambda _: bc, [bc, ca])},
        **{step: {"done": Done} for step in (ab, bc, ca)},
    }

    assert "the branches 'a', 'b', 'c' share no step" in refused(transitions, d)


def test_a_branch_that_leads_to_another_meets_it() -> None:
    accepted({a: {"done": [b, c]}, b: {"done": c}, c: {"done": Done}})


def test_a_list_of_one_is_no_fan_out() -> None:
    graph = accepted({a: {"done": [b]}, b: {"done": [Done]}})

    assert ("b",) == graph.successors["a"]


def test_done_beside_other_targets_is_refused() -> None:
    message = refused({a: {"done": [b, Done]}, b: {"done": Done}})

    assert "step 'a', event 'done': Done cannot be one of several targets" in message


def test_what_is_chosen_need_not_meet() -> None:
    accepted({a: {"done": Choose(lambda _: b, [b, c, Done])}, b: {"done": Done}, c: {"done": Done}})


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (
            {"valid": Done, "invalid": Done, "vaild": Done},
            "step 'two': it has no event 'vaild'; did you mean 'valid'? (events: valid, invalid)",
        ),
        (
            {"valid": Done},
            "step 'two': its row in transitions says nothing of the event 'invalid'; name what",
        ),
        (
            {"valid": Done, "inv": Done},
            "step 'two': it has no event 'inv'; did you mean 'invalid'? (events: valid, invalid)",
        ),
    ],
    ids=range(3),
)
def test_events_and_transitions_answer_each_other(row: Mapping[str, Any], why: str) -> None:
    assert f"workflow 'Order', {why}" in refused({two: row}, two)


def test_the_earlier_rule_is_told_where_two_are_broken() -> None:
    unreachable_and_no_end = {a: {"done": Done}, b: {"never": c}}
    no_end_and_no_event = {a: {"never": b}}

    assert "does not lead to 'b', 'c'" in refused(unreachable_and_no_end)
    assert "nothing follows 'b'" in refused(no_end_and_no_event)


def test_a_long_list_of_names_is_cut_short() -> None:
    branches = [named(f"b{n}") for n in range(20)]

    message = refused({a: {"done": branches}, **{b: {"done": Done} for b in branches}})

    assert "'b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7' and 12 more share" in message


def test_a_line_of_two_thousand_steps_and_a_fan_out_of_a_thousand_are_no_trouble() -> None:
    line = [named(f"s{n}") for n in range(2000)]
    steps: dict[Any, Any] = {step: {"done": after} for step, after in itertools.pairwise(line)}
    branches = [named(f"b{n}") for n in range(1000)]
    steps |= {line[-1]: {"done": branches}, a: {"done": Done}}
    steps |= {branch: {"done": a} for branch in branches}

    graph = accepted(steps, line[0])

    assert 3001 == len(graph.ancestors["done"])


@st.composite
def workflows(draw: st.DrawFn) -> dict[str, dict[str, tuple[bool, list[str]]]]:
    """Step → event → (dynamic, targets), often sound and often not."""
    names = [f"s{n}" for n in range(draw(st.integers(1, 7)))]
    strict = draw(st.booleans())
    rows = {}
    for n, name in enumerate(names):
        later = names[n + 1 :] if strict else names
        some = st.lists(st.sampled_from([*later, "done"]), unique=True, min_size=1, max_size=3)
        events = [f"e{i}" for i in range(draw(st.integers(1, 2)))]
        rows[name] = {event: (draw(st.booleans()), draw(some)) for event in events}
    return rows


def fault_by_brute_force(rows: dict[str, dict[str, tuple[bool, list[str]]]]) -> str | None:
    """Return a word of the message that the first broken rule gives; None if all is sound."""
    after = {
        name: {t for _, targets in row.values() for t in targets} for name, row in rows.items()
    }
    after["done"] = set()
    beyond = {name: set(near) for name, near in after.items()}
    for _ in after:
        for found in beyond.values():
            found.update(*[beyond[near] for near in found])
    if any(name in found for name, found in beyond.items()):
        return "cycle"
    if any(name not in beyond["s0"] | {"s0"} for name in rows):
        return "does not lead to"
    for dynamic, targets in (t for row in rows.values() for t in row.values()):
        if dynamic or len(targets) == 1:
            continue
        if "done" in targets:
            return "Done cannot be"
        if not set.intersection(*(beyond[t] | {t} for t in targets)) - {"done"}:
            return "share no step"
    return None


@given(rows=workflows())
@example(rows={"s0": {"e0": (False, ["s1", "s2"])}, "s1": {"e0": (True, ["s2", "done"])},
               "s2": {"e0": (False, ["done"])}})  # fmt: skip
def test_the_proof_agrees_with_brute_force(
    rows: dict[str, dict[str, tuple[bool, list[str]]]],
) -> None:
    steps: dict[str, Any] = {name: named(name, *row) for name, row in rows.items()}
    steps["done"] = Done
    transitions = {
        steps[name]: {
            event: (
                Choose(lambda _: None, [steps[t] for t in targets])
                if dynamic
                else [steps[t] for t in targets]
            )
            for event, (dynamic, targets) in row.items()
        }
        for name, row in rows.items()
    }

    fault = fault_of(steps["s0"], transitions)

    expected = fault_by_brute_force(rows)
    # Where two lists are wrong, either may be told.
    lists = ("Done cannot be", "share no step")
    assert (expected is None) == (fault is None)
    assert any(word in str(fault) for word in (lists if expected in lists else (str(expected),)))


def fault_of(start: Step, transitions: Mapping[Any, Any]) -> str | None:
    try:
        prove("Random", start, transitions)
    except DefinitionError as error:
        return str(error)
    return None
