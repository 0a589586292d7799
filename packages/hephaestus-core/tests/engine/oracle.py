"""The rules of joins and dead paths once more, by definition instead of by propagation.

It reads a model, never the workflow made of it, and shares no code with the engine.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from engine.models import DONE, Model, Node
from hephaestus.instance import Instance


@dataclass(frozen=True)
class Standing:
    """Which steps are under way and which are dead, once these others have ended."""

    active: frozenset[str]
    skipped: frozenset[str]


@dataclass(frozen=True)
class Outlook:
    """How a run ends when every step does what its plan says."""

    results: dict[str, dict[str, Any]]
    skipped: frozenset[str]
    metadata: dict[str, Any]


def standing(model: Model, chosen: Mapping[str, Collection[str]]) -> Standing:
    """Ask of every step, again and again until nothing is new, whether it is dead by now.

    Args:
        chosen: The targets that each ended step chose.
    """
    before = _before(model)
    dead: set[str] = set()
    while True:
        known = dead | chosen.keys()
        called = {key for keys in chosen.values() for key in keys} | {model.start}
        open_now = {key for key in before if key not in known and before[key] <= known}
        if not open_now - called:
            return Standing(frozenset(open_now), frozenset(dead))
        dead |= open_now - called


class Walk:
    """A run of a model whose steps end with any of their events, one after the other."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._before = _before(model)
        self._chosen: dict[str, dict[str, Any]] = {}

    def end(self, key: str, event: str) -> None:
        seen = len(_ancestors(self._before, key) & self._chosen.keys())
        self._chosen[key] = _choice(self._model, key, event, seen + 1)

    @property
    def standing(self) -> Standing:
        return standing(self._model, self._chosen)


def takers(model: Model, instance: Instance, event: str) -> set[str]:
    """Return the steps that an event without a step could be meant for."""
    under_way = instance.stopped if instance.status == "failed" else instance.active
    still = {key for key, step in under_way.items() if step.state != "ready"}
    asking = {key for key in still if (halt := under_way[key].halt) and halt.resume_to == event}
    declaring = {
        node.key
        for node in model.nodes.values()
        if event in node.events or (node.kind == "event" and event == f"{node.key}:event")
    }
    could = declaring | asking
    return could & still or could


def outlook(model: Model) -> Outlook:
    """Follow the plans from the start, step by step in the order of the model."""
    before = _before(model)
    configs: dict[str, dict[str, Any] | None] = {model.start: model.start_config}
    results: dict[str, dict[str, Any]] = {}
    chosen: dict[str, dict[str, Any]] = {}
    rank = {arrow.source: place for place, arrow in enumerate(model.arrows)}
    for key in [*model.nodes, DONE]:
        if key != model.start:
            callers = [source for source in before[key] if key in chosen.get(source, {})]
            if not callers:
                continue
            given = [chosen[source][key] for source in sorted(callers, key=rank.__getitem__)]
            configs[key] = next((one for one in reversed(given) if one is not None), None)
        seen = sorted(_ancestors(before, key) & results.keys())
        results[key] = {} if key == DONE else data_of(model.nodes[key], seen, configs[key])
        if key != DONE:
            chosen[key] = _choice(model, key, model.nodes[key].plan.event, len(seen) + 1)
    returned = [k for k in chosen if model.nodes[k].plan.ending == "returns"]
    metadata = {f"by {key}": configs[key] for key in returned}
    return Outlook(results, frozenset(before) - results.keys(), metadata)


def data_of(node: Node, seen: list[str], config: dict[str, Any] | None) -> dict[str, Any]:
    """Return the result of a step that does what its plan says."""
    if node.plan.ending == "times out":
        return {}
    if node.plan.ending != "returns":
        return {"answers": node.key}
    asked = "asks" in node.plan.hindrances
    return {"saw": seen, "config": config or {}, "answer": {"to": node.key} if asked else None}


def _choice(model: Model, key: str, event: str, seen: int) -> dict[str, Any]:
    (arrow,) = [a for a in model.arrows if (a.source, a.event) == (key, event)]
    return arrow.picked(seen)


def _before(model: Model) -> dict[str, set[str]]:
    before: dict[str, set[str]] = {key: set() for key in [*model.nodes, DONE]}
    for arrow in model.arrows:
        for key, _ in arrow.targets:
            before[key].add(arrow.source)
    return before


def _ancestors(before: Mapping[str, set[str]], key: str) -> set[str]:
    found: set[str] = set()
    pending = [key]
    while pending:
        new = before[pending.pop()] - found
        found |= new
        pending += new
    return found
