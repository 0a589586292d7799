"""A workflow as an SVG drawing, for a page or a printer."""

from collections.abc import Iterator
from html import escape
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple, TypeAlias

from hephaestus.diagram.arrow import Arrow, arrows
from hephaestus.diagram.layers import graph_of, rows
from hephaestus.graph import Graph
from hephaestus.steps import Wait, WaitForEvent
from hephaestus.workflow import Workflow

_CHARACTER, _HEIGHT, _PADDING = 8, 36, 16
_BETWEEN, _ROW, _MARGIN = 40, 110, 20
_STYLE = (
    "text{font:14px monospace;text-anchor:middle}"
    ".label{font-size:11px;fill:#555}.halo{stroke:#fff;stroke-width:4px}"
    ".step{fill:#fff;stroke:#333}.waits{fill:#fff6dd}.ends{fill:#eee}"
    ".arrow{fill:none;stroke:#333}.chosen{stroke-dasharray:4 3}"
)
_HEAD = (
    '<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0,0L8,4L0,8z" fill="#333"/></marker>'
)


_Ways: TypeAlias = dict[tuple[str, ...], list[Arrow]]


class _Slot(NamedTuple):
    """Where a step lies, or an arrow passes a row: the middle of it, and its width."""

    x: float
    y: float
    width: float


def svg(workflow: type[Workflow]) -> str:
    """Return an SVG document with the graph from its start downwards.

    Events stand at the arrows; an arrow is dotted, and names the function, where a `Choose` picks.
    A step that waits is tinted.

    Raises:
        InvalidArgument: It is an umbrella, which has no graph of its own.
    """
    graph = graph_of(workflow)
    rows_of_slots, ways = _ways(graph)
    slots = _placed(_ordered(rows_of_slots, ways))
    width = max(slot.x + slot.width / 2 for slot in slots.values()) + _MARGIN
    height = (len(rows_of_slots) - 1) * _ROW + _HEIGHT + 2 * _MARGIN
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
            f"<title>{escape(workflow.name)}</title><style>{_STYLE}</style><defs>{_HEAD}</defs>",
            *(_line([slots[name] for name in way], group) for way, group in ways.items()),
            *_labels(ways, slots),
            *(_box(graph, key, slots[key]) for key in graph.steps),
            "</svg>",
        ]
    )


def _ways(graph: Graph) -> tuple[list[list[str]], _Ways]:
    """Return the slots of each row, and for each two steps those on the way between them.

    An arrow has a slot of its own in every row that it passes, so that it runs beside the steps.
    """
    joined: dict[tuple[str, str], list[Arrow]] = {}
    for arrow in arrows(graph):
        joined.setdefault((arrow.source, arrow.target), []).append(arrow)
    rows_of_slots = rows(graph)
    row_of = {key: number for number, row in enumerate(rows_of_slots) for key in row}
    ways: _Ways = {}
    for (source, target), group in joined.items():
        passed = range(row_of[source] + 1, row_of[target])
        for number in passed:
            rows_of_slots[number].append(f"{source} {target} {number}")
        ways[source, *(f"{source} {target} {number}" for number in passed), target] = group
    return rows_of_slots, ways


def _ordered(rows_of_slots: list[list[str]], ways: _Ways) -> list[list[str]]:
    """Return the rows with each slot below those that lead to it, as far as that goes."""
    before: dict[str, list[str]] = {}
    for way in ways:
        for upper, lower in pairwise(way):
            before.setdefault(lower, []).append(upper)
    place: dict[str, float] = {}
    for row in rows_of_slots:
        row.sort(key=lambda slot: fmean([place[upper] for upper in before.get(slot, ())] or [0]))
        place |= {slot: number - (len(row) - 1) / 2 for number, slot in enumerate(row)}
    return rows_of_slots


def _placed(rows_of_slots: list[list[str]]) -> dict[str, _Slot]:
    """Return where each slot lies, every row in the middle."""
    lengths = [sum(map(_width, row)) + _BETWEEN * (len(row) - 1) for row in rows_of_slots]
    slots = {}
    for number, row in enumerate(rows_of_slots):
        x = _MARGIN + (max(lengths) - lengths[number]) / 2
        for name in row:
            width = _width(name)
            slots[name] = _Slot(x + width / 2, _MARGIN + _HEIGHT / 2 + number * _ROW, width)
            x += width + _BETWEEN
    return slots


def _width(slot: str) -> float:
    # Only the slots of arrows have spaces in their names.
    return _PADDING if " " in slot else len(slot) * _CHARACTER + 2 * _PADDING


def _line(way: list[_Slot], group: list[Arrow]) -> str:
    x, y = way[0].x, way[0].y + _HEIGHT / 2
    path = [f"M{x:g},{y:g}"]
    for slot in way[1:]:
        end = slot.y - _HEIGHT / 2
        middle = (y + end) / 2
        path.append(f"C{x:g},{middle:g} {slot.x:g},{middle:g} {slot.x:g},{end:g}")
        # Beside the steps of a row that it passes, it runs straight down.
        x, y = slot.x, slot.y + _HEIGHT / 2
        if slot is not way[-1]:
            path.append(f"V{y:g}")
    chosen = " chosen" if all(arrow.chosen_by for arrow in group) else ""
    return f'<path class="arrow{chosen}" d="{"".join(path)}" marker-end="url(#head)"/>'


def _labels(ways: _Ways, slots: dict[str, _Slot]) -> Iterator[str]:
    """Return the events, those of one step at different heights so that none hides another."""
    leaving: dict[str, list[tuple[str, ...]]] = {}
    for way in sorted(ways, key=lambda way: slots[way[1]].x):
        leaving.setdefault(way[0], []).append(way)
    for beside in leaving.values():
        for number, way in enumerate(beside, 1):
            part = number / (len(beside) + 1)
            yield _label(slots[way[0]], slots[way[1]], ways[way], part)


def _label(source: _Slot, target: _Slot, group: list[Arrow], part: float) -> str:
    """Return what stands at a part of the way along the curve between two slots."""
    said = [
        f"{arrow.event} (chosen by {arrow.chosen_by})" if arrow.chosen_by else arrow.event
        for arrow in group
    ]
    x = source.x + (target.x - source.x) * (3 * part**2 - 2 * part**3)
    down = 1.5 * part * (1 - part) + part**3
    y = source.y + _HEIGHT / 2 + (_ROW - _HEIGHT) * down + 4
    # Twice, since not every viewer paints the halo of a text below it.
    return "".join(
        f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(", ".join(said))}</text>'
        for kind in ("label halo", "label")
    )


def _box(graph: Graph, key: str, slot: _Slot) -> str:
    step = graph.steps[key]
    kind = " ends" if step.ends else " waits" if isinstance(step, Wait | WaitForEvent) else ""
    left, top = slot.x - slot.width / 2, slot.y - _HEIGHT / 2
    return (
        f'<rect class="step{kind}" x="{left:g}" y="{top:g}" width="{slot.width:g}" '
        f'height="{_HEIGHT}" rx="6"/>'
        f'<text x="{slot.x:g}" y="{slot.y + 5:g}">{escape(key)}</text>'
    )
