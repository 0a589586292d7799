"""What a picture draws between two steps."""

from typing import Any, NamedTuple

from hephaestus.graph import Graph
from hephaestus.transitions import Choose


class Arrow(NamedTuple):
    """One event of a step, and one step to which it leads."""

    source: str
    event: str
    target: str
    config: dict[str, Any] | None
    chosen_by: str | None
    """The function that may choose the target; None if the event always leads there."""


def arrows(graph: Graph) -> list[Arrow]:
    """Return the arrows of a graph: by step, then by event, each in the order of declaration."""
    return [
        Arrow(key, event, target, config, chosen_by)
        for key, step in graph.steps.items()
        if not step.ends
        for event in step.events
        for target, config, chosen_by in _targets(graph, key, event)
    ]


def _targets(
    graph: Graph, key: str, event: str
) -> list[tuple[str, dict[str, Any] | None, str | None]]:
    target = graph.target(key, event)
    if not isinstance(target, Choose):
        return [(name, config, None) for name, config in target.items()]
    function = getattr(target.function, "__name__", type(target.function).__name__)
    return [(name, config, function) for name, config in target.declared.items()]
