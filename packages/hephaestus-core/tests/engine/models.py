"""Random sound workflows, and what each of their steps is going to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal

from hypothesis import strategies as st

from engine.runs import Work, flow
from engine.tape import Tape, tapes
from hephaestus.retry import Retry
from hephaestus.steps import Done, Step, StepContext, Wait, WaitForEvent
from hephaestus.transitions import Choose
from hephaestus.workflow import Workflow

Kind = Literal["work", "wait", "event"]
Hindrance = Literal["fails", "fails for good", "asks"]
Ending = Literal["returns", "suspends", "times out", "halts", "halts with default"]

DONE = "done"
PATIENCE = timedelta(seconds=40)


@dataclass(frozen=True)
class Plan:
    """What becomes of the tries of a step: first the hindrances, then its end."""

    ending: Ending
    event: str
    hindrances: tuple[Hindrance, ...] = ()

    @property
    def needs_answer(self) -> bool:
        """An event from outside ends the step."""
        return self.ending in ("suspends", "halts", "halts with default")


@dataclass(frozen=True)
class Node:
    """A step of a model."""

    key: str
    kind: Kind
    events: tuple[str, ...]
    plan: Plan

    @property
    def answer(self) -> str:
        """The event that ends the step, as the outside calls it."""
        return f"{self.key}:event" if self.kind == "event" else self.plan.event


@dataclass(frozen=True)
class Arrow:
    """What follows one event of one step."""

    source: str
    event: str
    targets: tuple[tuple[str, dict[str, Any] | None], ...]
    picks: tuple[tuple[int, ...], ...] = ()
    """What a `Choose` picks, by how many results it sees; empty: there is none."""

    faults: int = 0
    """Up to which attempt of its step the `Choose` raises."""

    def picked(self, seen: int) -> dict[str, dict[str, Any] | None]:
        """Return the chosen targets with their config."""
        chosen = self.picks[seen % len(self.picks)] if self.picks else range(len(self.targets))
        return dict(self.targets[index] for index in chosen)


@dataclass(frozen=True)
class Model:
    """A workflow in the plainest form: an oracle reads it, and a real one is made of it."""

    nodes: Mapping[str, Node]
    """By key; a step comes after all that lead to it."""

    arrows: tuple[Arrow, ...]
    """In the order of their declaration; those of one step stand together."""

    start_config: dict[str, Any] | None = None
    retry: Retry = field(default_factory=Retry)

    @property
    def start(self) -> str:
        return next(iter(self.nodes))

    @cached_property
    def workflow(self) -> type[Workflow]:
        steps = {key: _step(node) for key, node in self.nodes.items()} | {DONE: Done.shared()}
        rows: dict[Step, dict[str, Any]] = {}
        for arrow in self.arrows:
            row = rows.setdefault(steps[arrow.source], {})
            row[arrow.event] = _target(arrow, steps)
        start: Any = steps[self.start]
        if self.start_config is not None:
            start = start.using(**self.start_config)
        return flow(start, rows, retry=self.retry)

    def __repr__(self) -> str:
        rows = [f"    {node}" for node in self.nodes.values()]
        rows += [f"    {arrow}" for arrow in self.arrows]
        return "\n".join([f"Model({self.start_config}, {self.retry},", *rows, ")"])


def _step(node: Node) -> Step:
    match node.kind:
        case "work":
            return Work(node.key, *node.events)
        case "wait":
            return Wait(PATIENCE, key=node.key)
        case "event":
            patience = PATIENCE if "timeout" in node.events else None
            return WaitForEvent(f"{node.key}:event", patience, key=node.key)


def _target(arrow: Arrow, steps: Mapping[str, Step]) -> object:
    targets = [
        steps[key] if config is None else steps[key].using(**config)
        for key, config in arrow.targets
    ]
    if arrow.picks:
        return Choose(_choice(arrow, steps), targets)
    return targets if len(targets) > 1 else targets[0]


def _choice(arrow: Arrow, steps: Mapping[str, Step]) -> Callable[[StepContext], object]:
    def choice(ctx: StepContext) -> object:
        if ctx.attempt <= arrow.faults:
            raise ValueError("not yet")
        return [steps[key] for key in arrow.picked(len(ctx.steps))]

    return choice


_SHAPES: list[tuple[Kind, tuple[str, ...]]] = [
    ("work", ("done",)),
    ("work", ("done", "other")),
    ("work", ("done", "other", "timeout")),
    ("wait", ("timeout",)),
    ("event", ("received",)),
    ("event", ("received", "timeout")),
]
_HINDRANCES: list[Hindrance] = ["fails", "fails for good", "asks"]
_ENDINGS: list[Ending] = ["returns", "suspends", "halts", "halts with default"]
_CONFIGS: list[dict[str, Any] | None] = [None, {"size": 1}, {}, None, {"size": 2, "tags": ["a"]}]


def models(*, largest: int = 10) -> st.SearchStrategy[Model]:
    """Graphs of up to so many steps, besides Done, whose fan-outs converge."""
    return tapes(largest * 24).map(lambda tape: _read(tape, largest))


def _read(tape: Tape, largest: int) -> Model:
    nodes: dict[str, Node] = {}
    slots: dict[tuple[str, str], list[str]] = {}
    size = 1 + tape.below(largest)
    for number in range(size):
        key = f"s{number}"
        if nodes:
            _lead_to(key, nodes, slots, tape)
        kind, events = tape.one(_SHAPES)
        nodes[key] = Node(key, kind, events, _plan(tape, kind, events))
        slots |= {(key, event): [] for event in events}
    if size > 1 and tape.rarely(2):
        _join(list(nodes)[-1], slots)
    rows = sorted(nodes, key=lambda _: tape.below(256))
    arrows = [
        _arrow(tape, source, event, slots[source, event] or [DONE])
        for source in rows
        for event in nodes[source].events
    ]
    retry = Retry(1 + tape.below(3), initial_delay=tape.one([0, 3]), max_lost=1 + tape.below(3))
    return Model(nodes, _converging(list(nodes), arrows), tape.one(_CONFIGS), retry)


def _lead_to(
    key: str, nodes: Mapping[str, Node], slots: Mapping[tuple[str, str], list[str]], tape: Tape
) -> None:
    """Let events lead to a step, more often of early steps and such as are going to happen."""
    reach = len(nodes) if tape.rarely(2) else 1 + len(nodes) // 3
    for parent in tape.some(list(nodes)[:reach]):
        node = nodes[parent]
        event = tape.one(node.events) if tape.rarely(3) else node.plan.event
        slots[parent, event].append(key)


def _join(last: str, slots: Mapping[tuple[str, str], list[str]]) -> None:
    """Let all that leads nowhere yet lead to the last step."""
    for (source, _), targets in slots.items():
        if not targets and source != last:
            targets.append(last)


def _plan(tape: Tape, kind: Kind, events: tuple[str, ...]) -> Plan:
    event = tape.one(events)
    if kind != "work":
        return Plan("times out" if event == "timeout" else "suspends", event)
    endings: list[Ending] = ["returns", "times out"] if event == "timeout" else _ENDINGS
    hindrances = tuple(tape.one(_HINDRANCES) for _ in range(tape.one([0, 0, 0, 1, 2])))
    return Plan(tape.one(endings), event, hindrances)


def _arrow(tape: Tape, source: str, event: str, targets: list[str]) -> Arrow:
    if DONE not in targets and tape.rarely(6):
        targets = [*targets, DONE]
    configured = tuple((key, tape.one(_CONFIGS) if key != DONE else None) for key in targets)
    forced = DONE in targets and len(targets) > 1
    if not forced and not tape.rarely(4):
        return Arrow(source, event, configured)
    picks = tuple(tuple(tape.some(range(len(targets)))) for _ in range(1 + tape.below(2)))
    return Arrow(source, event, configured, picks, tape.one([0, 0, 0, 1, 2]))


def _converging(keys: list[str], arrows: list[Arrow]) -> tuple[Arrow, ...]:
    """Turn each fan-out whose branches do not meet into a choice: of all of them."""
    beyond: dict[str, set[str]] = {DONE: set()}
    for key in reversed(keys):
        near = {target for arrow in arrows if arrow.source == key for target, _ in arrow.targets}
        beyond[key] = near.union(*(beyond[target] for target in near))
    return tuple(
        arrow
        if arrow.picks or _meets(arrow, beyond)
        else replace(arrow, picks=(tuple(range(len(arrow.targets))),))
        for arrow in arrows
    )


def _meets(arrow: Arrow, beyond: Mapping[str, set[str]]) -> bool:
    branches = [{key} | beyond[key] for key, _ in arrow.targets]
    return len(branches) == 1 or bool(set.intersection(*branches) - {DONE})
