"""LangGraph."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import cycle
from typing import Any, TypedDict

from bench.contract import Contender, Run, Setting
from bench.jobs.line import CONCURRENCY, THROUGHPUT
from bench.jobs.memory import MEMORY

ENVIRONMENT = "langgraph"


class _State(TypedDict):
    number: int


@asynccontextmanager
async def memory(_: Setting) -> AsyncIterator[Run]:
    """Keep checkpoints in this process."""
    from langgraph.checkpoint.memory import InMemorySaver

    yield _line([InMemorySaver()])


@asynccontextmanager
async def postgres(setting: Setting, *, savers: int) -> AsyncIterator[Run]:
    """Keep checkpoints in the database; a saver does one thing at a time, so have several."""
    async with savers_of(setting, savers) as found:
        yield _line(found)


@asynccontextmanager
async def savers_of(setting: Setting, count: int) -> AsyncIterator[list[Any]]:
    """Give savers, each on a connection of its own, with their tables."""
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

    async with AsyncExitStack() as stack:
        found = [
            await stack.enter_async_context(AsyncPostgresSaver.from_conn_string(setting.postgres))
            for _ in range(count)
        ]
        await found[0].setup()
        yield found


def _line(savers: Sequence[Any]) -> Run:
    from langgraph.graph import END, START, StateGraph

    async def add_one(state: _State) -> _State:
        return {"number": state["number"] + 1}

    graph = StateGraph(_State)
    for name in ("first", "second", "third"):
        graph.add_node(name, add_one)
    for source, target in ((START, "first"), ("first", "second"), ("second", "third")):
        graph.add_edge(source, target)
    graph.add_edge("third", END)
    apps = cycle([graph.compile(checkpointer=saver) for saver in savers])

    async def run(number: int) -> int:
        thread = {"configurable": {"thread_id": str(number)}}
        # A step is stored before the next one begins, as with us; it is not slower than "async".
        state: _State = await next(apps).ainvoke({"number": number}, thread, durability="sync")
        return state["number"]

    return run


CONTENDERS = (
    Contender(
        name="langgraph",
        job=MEMORY,
        title="LangGraph, InMemorySaver",
        distributions=("langgraph", "langgraph-checkpoint"),
        open=memory,
        environment=ENVIRONMENT,
    ),
    *(
        Contender(
            name="langgraph" if savers == 1 else f"langgraph-{savers}",
            job=job,
            title=f"LangGraph, {savers} AsyncPostgresSaver{'s' * (savers > 1)}",
            distributions=("langgraph", "langgraph-checkpoint-postgres"),
            open=partial(postgres, savers=savers),
            environment=ENVIRONMENT,
            note='durability="sync"; a connection for each saver, autocommit',
        )
        for job in (THROUGHPUT, CONCURRENCY)
        for savers in ((1, 16) if job is THROUGHPUT else (16,))
    ),
)
