"""A workflow's steps and what leads from one to the next."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import compress
from types import MappingProxyType
from typing import Any

from hephaestus.errors import InvalidArgument
from hephaestus.nearest import did_you_mean
from hephaestus.steps import Step
from hephaestus.transitions import Choose, Edge, Targets


class Graph:
    """The steps of one workflow version, by key, and its transitions; never changed."""

    def __init__(
        self,
        *,
        start: str,
        start_config: dict[str, Any] | None,
        steps: Mapping[str, Step],
        routes: Mapping[str, Mapping[str, Targets | Choose]],
    ) -> None:
        """Take the steps in the order of their declaration, and step → event → targets."""
        self.start = start
        self.start_config = start_config
        self.steps = MappingProxyType(dict(steps))
        declared = _edges(routes)
        self.edges = tuple(sorted(declared, key=lambda edge: edge.dynamic))
        """The transitions; those that always lead to the same steps come first."""

        after, before = _neighbours(self.steps, declared)
        self.successors: Mapping[str, tuple[str, ...]] = MappingProxyType(after)
        """The steps that may come right after a step."""

        self.predecessors: Mapping[str, tuple[str, ...]] = MappingProxyType(before)
        """The steps that may come right before a step."""

        self.ancestors: Mapping[str, tuple[str, ...]] = _Ancestors(self)
        """Every step that leads to a step, directly or not; each after those that lead to it."""

        self.transactional = tuple(key for key, step in self.steps.items() if step.transactional)
        """The steps whose database effects are committed with their outcome."""

        self.choosing = frozenset(edge.source for edge in declared if edge.dynamic)
        """The steps after which a `Choose` is asked."""

        self._routes = routes

    def target(self, key: str, event: str) -> Targets | Choose:
        """Return what follows an event of a step.

        Raises:
            InvalidArgument: The step has no transition for the event.
        """
        row = self._routes.get(key, {})
        target = row.get(event)
        if target is None:
            raise InvalidArgument(
                f"step {key!r} has no transition for the event {event!r}"
                f"{did_you_mean(event, row)} (events: {', '.join(row) or 'none'})"
            )
        return target

    def takers(self, event: str) -> tuple[str, ...]:
        """Return the keys of all steps that could take an event from outside."""
        return tuple(key for key, step in self.steps.items() if step.takes(event) is not None)

    def __repr__(self) -> str:
        return f"<graph of {len(self.steps)} steps from {self.start!r}>"


def sorted_keys(
    successors: Mapping[str, Iterable[str]], predecessors: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """Return the keys with every step after all that lead to it; those in a cycle are missing."""
    unmet = {key: len(before) for key, before in predecessors.items()}
    order = [key for key, count in unmet.items() if count == 0]
    for key in order:
        for after in successors[key]:
            unmet[after] -= 1
            if unmet[after] == 0:
                order.append(after)
    return order


def reach(order: Sequence[str], neighbours: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Return for each name all that lies beyond its neighbours, they included, as bits.

    Bit n stands for the nth name of the order, in which a name comes after its neighbours.
    """
    bit = {name: 1 << n for n, name in enumerate(order)}
    reached: dict[str, int] = {}
    for name in order:
        bits = 0
        for near in neighbours[name]:
            bits |= bit[near] | reached[near]
        reached[name] = bits
    return reached


class _Ancestors(Mapping[str, tuple[str, ...]]):
    """Rows of ancestors, kept as bits and made into tuples when asked for.

    The rows of a line of n steps hold n²/2 names; as bits they take n²/16 bytes. Their order
    is the same in every process, which that of a set is not, and a step sees it in `ctx.steps`.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._rows: dict[str, tuple[str, ...]] = {}

    def __getitem__(self, key: str) -> tuple[str, ...]:
        if key not in self._rows:
            digits = bin(self._bits[key])[:1:-1]
            self._rows[key] = tuple(compress(self._order, map(int, digits)))
        return self._rows[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._graph.steps)

    def __len__(self) -> int:
        return len(self._graph.steps)

    @cached_property
    def _order(self) -> list[str]:
        return sorted_keys(self._graph.successors, self._graph.predecessors)

    @cached_property
    def _bits(self) -> dict[str, int]:
        return reach(self._order, self._graph.predecessors)


def _edges(routes: Mapping[str, Mapping[str, Targets | Choose]]) -> list[Edge]:
    return [
        Edge(source=source, event=event, targets=_keys(target), dynamic=isinstance(target, Choose))
        for source, row in routes.items()
        for event, target in row.items()
    ]


def _neighbours(
    keys: Iterable[str], edges: Iterable[Edge]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return the successors and the predecessors of each key, in the order of the edges."""
    # Dicts, because they are sets that keep their order.
    after: dict[str, dict[str, None]] = {key: {} for key in keys}
    before: dict[str, dict[str, None]] = {key: {} for key in after}
    for edge in edges:
        for target in edge.targets:
            after[edge.source][target] = None
            before[target][edge.source] = None
    return (
        {key: tuple(found) for key, found in after.items()},
        {key: tuple(found) for key, found in before.items()},
    )


def _keys(target: Targets | Choose) -> tuple[str, ...]:
    return tuple(target.declared if isinstance(target, Choose) else target)
