"""Burr."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.contract import Contender, Run, Setting
from bench.jobs.memory import MEMORY


@asynccontextmanager
async def line(_: Setting) -> AsyncIterator[Run]:
    """Run a state machine of three actions, with a graph that is built once."""
    from burr.core import ApplicationBuilder, GraphBuilder, State, action

    @action(reads=["number"], writes=["number"])
    async def first(state: State) -> State:
        return state.update(number=state["number"] + 1)

    @action(reads=["number"], writes=["number"])
    async def second(state: State) -> State:
        return state.update(number=state["number"] + 1)

    @action(reads=["number"], writes=["number"])
    async def third(state: State) -> State:
        return state.update(number=state["number"] + 1)

    graph = (
        GraphBuilder()
        .with_actions(first=first, second=second, third=third)
        .with_transitions(("first", "second"), ("second", "third"))
        .build()
    )

    async def run(number: int) -> int:
        builder = ApplicationBuilder().with_graph(graph).with_entrypoint("first")
        app = await builder.with_state(number=number).abuild()
        _, _, state = await app.arun(halt_after=["third"])
        result: int = state["number"]
        return result

    yield run


CONTENDERS = (
    Contender(
        name="burr",
        job=MEMORY,
        title="Burr, which stores nothing",
        distributions=("apache-burr",),
        open=line,
        environment="burr",
        note="no persister, no tracker; the graph is built once",
    ),
)
