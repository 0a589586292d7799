"""pydantic-graph."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.contract import Contender, Run, Setting
from bench.jobs.memory import MEMORY


@dataclass
class _State:
    number: int


@asynccontextmanager
async def _line(_: Setting) -> AsyncIterator[Run]:
    graph, first = _nodes()

    async def run(number: int) -> int:
        result: int = await graph.run(state=_State(number), inputs=first())
        return result

    yield run


def _nodes() -> tuple[Any, type]:
    """Return the graph and its first node: classes, which it runs faster than functions."""
    from pydantic_graph import BaseNode, End, GraphBuilder

    class First(BaseNode[_State]):
        async def run(self, ctx: Any) -> "Second":
            ctx.state.number += 1
            return Second()

    class Second(BaseNode[_State]):
        async def run(self, ctx: Any) -> "Third":
            ctx.state.number += 1
            return Third()

    class Third(BaseNode[_State, None, int]):
        async def run(self, ctx: Any) -> End[int]:
            ctx.state.number += 1
            return End(ctx.state.number)

    # Its spans would go nowhere, and cost it a tenth.
    builder = GraphBuilder(state_type=_State, output_type=int, auto_instrument=False)
    builder.add(
        builder.edge_from(builder.start_node).to(First),
        builder.node(First),
        builder.node(Second),
        builder.node(Third),
    )
    return builder.build(), First


CONTENDERS = (
    Contender(
        name="pydantic-graph",
        job=MEMORY,
        title="pydantic-graph, which stores nothing",
        distributions=("pydantic-graph",),
        open=_line,
        environment="pydantic-graph",
    ),
)
