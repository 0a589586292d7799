"""A workflow as text: its steps in rows, and what leads from each to the next."""

from hephaestus.diagram.arrow import Arrow, arrows
from hephaestus.errors import InvalidArgument
from hephaestus.graph import Graph, sorted_keys
from hephaestus.workflow import Workflow

_BAR = "    │"


def text(workflow: type[Workflow]) -> str:
    """Return the graph as lines of text.

    A step stands below all that lead to it; below each row stand the events of its steps. Where
    one event leads to several steps at once, each of its lines names the others.

    Raises:
        InvalidArgument: It is an umbrella, which has no graph of its own.
    """
    graph = graph_of(workflow)
    leaving: dict[str, list[Arrow]] = {key: [] for key in graph.steps}
    for arrow in arrows(graph):
        leaving[arrow.source].append(arrow)
    lines: list[str] = []
    for row in rows(graph):
        lines.append("  " + "    ".join(_node(graph, key) for key in row))
        below = [_line(graph, arrow, leaving[key]) for key in row for arrow in leaving[key]]
        if below:
            lines += [_BAR, *below, _BAR]
    return "\n".join(lines)


def graph_of(workflow: type[Workflow]) -> Graph:
    """Return the graph of a workflow.

    Raises:
        InvalidArgument: It is an umbrella, which has no graph of its own.
    """
    if workflow.versions:
        raise InvalidArgument(
            f"workflow {workflow.name!r} holds versions and has no graph; draw one of them: "
            f"{', '.join(version.name for version in workflow.versions.values())}"
        )
    return workflow.graph


def rows(graph: Graph) -> list[list[str]]:
    """Return the keys by the longest way that leads from the start to them."""
    depth: dict[str, int] = {}
    for key in sorted_keys(graph.successors, graph.predecessors):
        depth[key] = max((depth[before] + 1 for before in graph.predecessors[key]), default=0)
    found: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for key in sorted(depth):
        found[depth[key]].append(key)
    return found


def _node(graph: Graph, key: str) -> str:
    if graph.steps[key].ends:
        return f"({_name(graph, key)})"
    return f"[*{key}]" if key == graph.start else f"[{key}]"


def _line(graph: Graph, arrow: Arrow, leaving: list[Arrow]) -> str:
    return (
        f"    {arrow.source} ──:{arrow.event}──> {_name(graph, arrow.target)}"
        f"{_manner(arrow, leaving)}"
    )


def _manner(arrow: Arrow, leaving: list[Arrow]) -> str:
    """Return who chooses the target, or which others the event leads to at once."""
    if arrow.chosen_by:
        return f" (chosen by {arrow.chosen_by})"
    others = [
        other.target
        for other in leaving
        if other.event == arrow.event and other.target != arrow.target
    ]
    return f" (with {', '.join(others)})" if others else ""


def _name(graph: Graph, key: str) -> str:
    return "Done" if graph.steps[key].ends else key
