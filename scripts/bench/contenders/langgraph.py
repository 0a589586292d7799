"""LangGraph."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from bench.contract import Contender, Run
from bench.jobs.line import LINE


class _State(TypedDict):
    number: int


@asynccontextmanager
async def _line() -> AsyncIterator[Run]:
    # It is not installed where types are checked, only where the benchmark runs.
    from langgraph.checkpoint.memory import (  # type: ignore[import-not-found]  # see above
        InMemorySaver,
    )
    from langgraph.graph import END, START, StateGraph  # type: ignore[import-not-found]  # as above

    async def add_one(state: _State) -> _State:
        return {"number": state["number"] + 1}

    graph = StateGraph(_State)
    for name in ("first", "second", "third"):
        graph.add_node(name, add_one)
    for source, target in ((START, "first"), ("first", "second"), ("second", "third")):
        graph.add_edge(source, target)
    graph.add_edge("third", END)
    app = graph.compile(checkpointer=InMemorySaver())

    async def run(number: int) -> int:
        thread = {"configurable": {"thread_id": str(number)}}
        # A step is stored before the next one begins, as with us; it is not slower than "async".
        state: _State = await app.ainvoke({"number": number}, thread, durability="sync")
        return state["number"]

    yield run


CONTENDERS = (
    Contender(
        name="langgraph",
        job=LINE,
        title="LangGraph, InMemorySaver",
        distributions=("langgraph", "langgraph-checkpoint"),
        open=_line,
    ),
)
