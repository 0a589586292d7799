"""Reads a workflow's start step and transitions, and proves the graph that they make."""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import and_
from typing import Any

from hephaestus.errors import DefinitionError
from hephaestus.graph import Graph, reach, sorted_keys
from hephaestus.instance import DONE
from hephaestus.nearest import did_you_mean
from hephaestus.steps import Configured, Step, as_step
from hephaestus.transitions import Choose, Targets, by_key, read_steps

_SHOWN = 8
"""How many names an error lists."""


def prove(workflow: str, start: object, transitions: object) -> Graph:
    """Return the graph of a workflow.

    Args:
        workflow: Its name, for the errors.
        start: The first step, with config or without.
        transitions: Step → event → target, as the user wrote it.

    Raises:
        DefinitionError: The graph is not sound; the first fault found is told.
    """
    where = f"workflow {workflow!r}"
    graph = _read(where, start, transitions)
    order = sorted_keys(graph.successors, graph.predecessors)
    if len(order) < len(graph.steps):
        raise DefinitionError(
            f"{where}: these steps form a cycle: {_cycle(graph, set(order))}; "
            "a graph has no cycles: to repeat a step use Retry, to begin again start a new run"
        )
    _check_reachable(graph, where)
    _check_leaves(graph, where)
    _check_convergence(graph, reach(order[::-1], graph.successors), order[::-1], where)
    _check_events(graph, where)
    return graph


def _read(where: str, start: object, transitions: object) -> Graph:
    steps: dict[str, Step] = {}
    first = _read_start(start, where)
    _adopt(first, steps, where)
    if not isinstance(transitions, Mapping):
        raise DefinitionError(
            f"{where}: transitions must be a mapping, {{step: {{event: target}}}}, "
            f"got {transitions!r}"
        )
    routes: dict[str, Mapping[str, Targets | Choose]] = {}
    for reference, row in transitions.items():
        source = _read_source(reference, where)
        _adopt(source, steps, where)
        if source.key in routes:
            raise DefinitionError(f"{where}: transitions has two rows for step {source.key!r}")
        routes[source.key] = _read_row(source.key, row, steps, where)
    if first.key not in routes and not first.ends:
        raise DefinitionError(
            f"{where}: the start step {first.key!r} has no row in transitions; say there what "
            f"follows each of its events ({', '.join(first.events)})"
        )
    return Graph(
        start=first.key,
        start_config=start.config if isinstance(start, Configured) else None,
        steps=steps,
        routes=routes,
    )


def _read_start(start: object, where: str) -> Step:
    if start is None:
        raise DefinitionError(f"{where} has no start_step; name its first step")
    if isinstance(start, list | tuple | Choose):
        raise DefinitionError(f"{where}: start_step must be one step, got {start!r}")
    try:
        return as_step(start)
    except DefinitionError as error:
        raise DefinitionError(f"{where}: start_step: {error}") from error


def _read_source(reference: object, where: str) -> Step:
    if isinstance(reference, Configured):
        raise DefinitionError(
            f"{where}: transitions has a row for {reference.key!r} with config; config belongs "
            "to a target, so use the bare step"
        )
    try:
        source = as_step(reference)
    except DefinitionError as error:
        raise DefinitionError(f"{where}: transitions has a row for no step: {error}") from error
    if source.ends:
        raise DefinitionError(f"{where}: nothing follows Done; remove its row from transitions")
    return source


def _read_row(
    source: str, row: object, steps: dict[str, Step], where: str
) -> dict[str, Targets | Choose]:
    if not isinstance(row, Mapping):
        raise DefinitionError(
            f"{where}, step {source!r}: its row must be a mapping, {{event: target}}, got {row!r}"
        )
    read: dict[str, Targets | Choose] = {}
    for event, target in row.items():
        if not isinstance(event, str):
            raise DefinitionError(f"{where}, step {source!r}: an event is a text, got {event!r}")
        place = f"{where}, step {source!r}, event {event!r}"
        found = _read_target(target, place)
        for step in found:
            _adopt(step, steps, where)
        read[str.__str__(event)] = target if isinstance(target, Choose) else by_key(found)
    return read


def _read_target(target: object, place: str) -> Mapping[Step, dict[str, Any] | None]:
    if not isinstance(target, Choose):
        return read_steps(target, place)
    try:
        return target.steps
    except DefinitionError as error:
        raise DefinitionError(f"{place}: {error}") from error


def _adopt(step: Step, steps: dict[str, Step], where: str) -> None:
    known = steps.setdefault(step.key, step)
    if known is not step and not step.ends:
        raise DefinitionError(
            f"{where}: two steps have the key {step.key!r}: {known.type_name} and "
            f"{step.type_name}; give one of them another key=, or, if they are meant to be "
            "the same, make the step once and use it in both places"
        )


def _cycle(graph: Graph, sound: set[str]) -> str:
    """Return a cycle as text; every step outside `sound` has a predecessor outside it."""
    step = next(key for key in graph.steps if key not in sound)
    path: dict[str, None] = {}
    while step not in path:
        path[step] = None
        step = next(key for key in graph.predecessors[step] if key not in sound)
    backwards = list(path)
    loop = backwards[backwards.index(step) :]
    return " → ".join([step, *reversed(loop)])


def _check_reachable(graph: Graph, where: str) -> None:
    reached = {graph.start}
    pending = [graph.start]
    while pending:
        new = [key for key in graph.successors[pending.pop()] if key not in reached]
        reached.update(new)
        pending += new
    if stray := sorted(graph.steps.keys() - reached):
        raise DefinitionError(
            f"{where}: the start step {graph.start!r} does not lead to {_listed(stray)}; "
            "lead an event there, or remove the row"
        )


def _check_leaves(graph: Graph, where: str) -> None:
    leaves = sorted(
        key for key, step in graph.steps.items() if not graph.successors[key] and not step.ends
    )
    if leaves:
        raise DefinitionError(
            f"{where}: every path must end in Done, and nothing follows {_listed(leaves)}; "
            "give each a row in transitions"
        )


def _check_convergence(
    graph: Graph, beyond: Mapping[str, int], order: list[str], where: str
) -> None:
    bit = {key: 1 << n for n, key in enumerate(order)}
    done = bit[DONE]
    for edge in graph.edges:
        if edge.dynamic or len(edge.targets) == 1:
            continue
        place = f"{where}, step {edge.source!r}, event {edge.event!r}"
        if DONE in edge.targets:
            raise DefinitionError(
                f"{place}: Done cannot be one of several targets; the run ends where the "
                "others have met"
            )
        shared = reduce(and_, (bit[key] | beyond[key] for key in edge.targets))
        if not shared & ~done:
            raise DefinitionError(
                f"{place}: the branches {_listed(edge.targets)} share no step before Done; "
                "lead all of them to one step that joins them"
            )


def _check_events(graph: Graph, where: str) -> None:
    routed: dict[str, list[str]] = {key: [] for key in graph.steps}
    for edge in graph.edges:
        routed[edge.source].append(edge.event)
    for key, step in graph.steps.items():
        if step.ends:
            continue
        for event in routed[key]:
            if event not in step.events:
                raise DefinitionError(
                    f"{where}, step {key!r}: it has no event {event!r}"
                    f"{did_you_mean(event, step.events)} (events: {', '.join(step.events)})"
                )
        missing = [event for event in step.events if event not in routed[key]]
        if missing:
            raise DefinitionError(
                f"{where}, step {key!r}: its row in transitions says nothing of the event "
                f"{_listed(missing)}; name what follows"
            )


def _listed(names: Iterable[str]) -> str:
    shown = [repr(name) for name in names]
    rest = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + rest
