"""LangGraph: many nodes in one superstep, and one that joins them."""

import operator
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypedDict

from bench.contenders.langgraph.line import ENVIRONMENT, savers_of
from bench.contract import Contender, Run, Setting
from bench.jobs.fan import FAN, Fan


class _State(TypedDict):
    number: int
    parts: Annotated[list[int], operator.add]
    whole: int


@asynccontextmanager
async def fans(setting: Setting) -> AsyncIterator[Fan]:
    """Run fan-outs of any width, with checkpoints in the database."""
    async with savers_of(setting, 1) as (saver,):
        built: dict[int, Run] = {}

        def fan(width: int) -> Run:
            if width not in built:
                built[width] = _fan(saver, width)
            return built[width]

        yield fan


def _fan(saver: Any, width: int) -> Run:
    from langgraph.graph import END, START, StateGraph

    async def begin(state: _State) -> dict[str, Any]:
        return {"number": state["number"]}

    def branch(place: int) -> Any:
        async def add(state: _State) -> dict[str, Any]:
            return {"parts": [state["number"] + place]}

        return add

    async def join(state: _State) -> dict[str, Any]:
        return {"whole": sum(state["parts"])}

    names = [f"branch-{place}" for place in range(width)]
    graph = StateGraph(_State)
    graph.add_node("begin", begin)
    graph.add_node("join", join)
    graph.add_edge(START, "begin")
    for place, name in enumerate(names):
        graph.add_node(name, branch(place))
        graph.add_edge("begin", name)
    graph.add_edge(names, "join")
    graph.add_edge("join", END)
    app = graph.compile(checkpointer=saver)

    async def run(number: int) -> int:
        thread = {"configurable": {"thread_id": f"{width}-{number}"}}
        state = await app.ainvoke({"number": number, "parts": []}, thread, durability="sync")
        whole: int = state["whole"]
        return whole

    return run


CONTENDERS = (
    Contender(
        name="langgraph",
        job=FAN,
        title="LangGraph, AsyncPostgresSaver",
        distributions=("langgraph", "langgraph-checkpoint-postgres"),
        open=fans,
        environment=ENVIRONMENT,
        note='durability="sync"',
    ),
)
