"""Pipeline: concurrent calls travel together, and each succeeds or fails alone."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import NoScriptError, ResponseError

from hephaestus.errors import StorageUnavailable
from hephaestus_redis import script
from hephaestus_redis.pipeline import Pipeline
from hephaestus_redis.script import Command
from hephaestus_redis.wire import Land


class Wire:
    """A link that holds each flight until it is let go, and replies as it is told."""

    wire = None

    def __init__(self, reply: Callable[[Command], Any] = lambda command: command) -> None:
        self.flights: list[list[Command]] = []
        self.departed = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()
        self._reply = reply

    async def send(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:
        self.flights.append(list(commands))
        self.departed.set()
        await self.free.wait()
        return [self._reply(command) for command in commands]

    async def let_go(self) -> None:
        """Keep nothing."""


class Kept:
    """A wire whose replies come when they are told to."""

    def __init__(self) -> None:
        self.lands: list[Land] = []
        self.is_open = True

    async def send(self, commands: Sequence[Command], lands: Iterable[Land]) -> None:
        self.lands += lands


def over_a_wire() -> tuple[Wire, Kept]:
    link, kept = Wire(), Kept()
    link.wire = kept  # type: ignore[assignment]  # as much of one as a pipeline needs
    return link, kept


async def test_an_idle_pipeline_sends_at_once() -> None:
    wire = Wire()

    replies = await Pipeline(wire, b"{x}:").ask(("PING",))

    assert replies == [("PING",)]
    assert wire.flights == [[("PING",)]]


async def test_what_comes_during_a_flight_travels_in_the_next_one_in_its_order() -> None:
    wire = Wire()
    pipeline = Pipeline(wire, b"{x}:")
    wire.free.clear()
    first = await _under_way(pipeline, wire)
    later = [asyncio.create_task(pipeline.ask(("GET", n))) for n in range(5)]
    await asyncio.sleep(0)

    wire.free.set()

    assert [await one for one in (first, *later)] == [[("GET", "first")]] + [
        [("GET", n)] for n in range(5)
    ]
    assert wire.flights == [[("GET", "first")], [("GET", n) for n in range(5)]]


async def test_two_flights_are_under_way_at_a_time() -> None:
    wire = Wire()
    pipeline = Pipeline(wire, b"{x}:")
    wire.free.clear()
    calls = []
    for n in range(4):
        calls.append(asyncio.create_task(pipeline.ask(("GET", n))))
        for _ in range(3):
            await asyncio.sleep(0)
    under_way = list(wire.flights)

    wire.free.set()

    assert [await call for call in calls] == [[("GET", n)] for n in range(4)]
    assert under_way == [[("GET", 0)], [("GET", 1)]]
    assert wire.flights[2:] == [[("GET", 2), ("GET", 3)]]


async def test_a_caller_that_is_cancelled_takes_back_what_is_not_sent() -> None:
    wire = Wire()
    pipeline = Pipeline(wire, b"{x}:")
    wire.free.clear()
    first = await _under_way(pipeline, wire)
    late, other = (asyncio.create_task(pipeline.ask(("GET", n))) for n in range(2))
    await asyncio.sleep(0)

    late.cancel()
    wire.free.set()

    await asyncio.gather(first, other)
    assert wire.flights == [[("GET", "first")], [("GET", 1)]]


async def test_a_caller_that_is_cancelled_cancels_no_flight() -> None:
    wire = Wire()
    pipeline = Pipeline(wire, b"{x}:")
    wire.free.clear()
    flying, other = (asyncio.create_task(pipeline.ask(("GET", n))) for n in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    flying.cancel()
    wire.free.set()

    assert await other == [("GET", 1)]
    assert wire.flights == [[("GET", 0), ("GET", 1)]]


async def test_what_the_server_refuses_fails_alone() -> None:
    wire = Wire(lambda command: ResponseError("ERR no") if command[1] == 1 else command[1])
    pipeline = Pipeline(wire, b"{x}:")

    replies = await asyncio.gather(
        *(pipeline.ask(("GET", n)) for n in range(3)), return_exceptions=True
    )

    assert [type(reply) for reply in replies] == [list, StorageUnavailable, list]


async def test_a_flight_that_breaks_off_fails_all_that_were_on_it_and_none_that_follow() -> None:
    def reply(command: Command) -> Any:
        if command[1] == "first":
            raise NotConnected("gone")
        return command[1]

    wire = Wire(reply)
    pipeline = Pipeline(wire, b"{x}:")
    wire.free.clear()
    first = await _under_way(pipeline, wire)
    second = asyncio.create_task(pipeline.ask(("GET", "second")))
    await asyncio.sleep(0)

    wire.free.set()

    with pytest.raises(StorageUnavailable, match="no connection") as raised:
        await first
    assert isinstance(raised.value.__cause__, NotConnected)
    assert await second == ["second"]


async def test_a_mistake_of_ours_reaches_all_that_wait_as_it_is() -> None:
    def reply(command: Command) -> Any:
        raise AttributeError("a slip")

    pipeline = Pipeline(Wire(reply), b"{x}:")

    outcomes = await asyncio.gather(
        *(pipeline.ask(("GET", n)) for n in range(2)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [AttributeError] * 2


async def test_a_crowd_is_spread_over_several_flights() -> None:
    wire = Wire()
    pipeline = Pipeline(wire, b"{x}:")

    await pipeline.ask(*[("GET", n) for n in range(600)])

    assert [len(flight) for flight in wire.flights] == [256, 256, 88]


async def test_large_commands_are_spread_over_several_flights() -> None:
    wire = Wire()
    pipeline = Pipeline(wire, b"{x}:")
    large = "x" * 3 * 1024 * 1024

    await pipeline.ask(*[("SET", n, large) for n in range(4)])

    assert [len(flight) for flight in wire.flights] == [2, 2]


async def test_of_the_calls_that_the_server_does_not_know_one_brings_the_source() -> None:
    taught: set[Any] = set()

    def reply(command: Command) -> Any:
        if command[0] == "EVAL":
            taught.add(command[1])
        return "done" if script.POST.source in taught else NoScriptError("NOSCRIPT")

    wire = Wire(reply)

    replies = await Pipeline(wire, b"{x}:").run_all(script.POST, [{"n": 1}, {"n": 2}, {"n": 3}])

    assert replies == ["done"] * 3
    assert [command[0] for command in wire.flights[1]] == ["EVAL", "EVALSHA", "EVALSHA"]


async def test_nobody_waits_for_ever_when_the_event_loop_ends() -> None:
    wire = Wire()
    pipeline = Pipeline(wire, b"{x}:")
    wire.free.clear()
    first = await _under_way(pipeline, wire)
    second = asyncio.create_task(pipeline.ask(("GET", "second")))
    await asyncio.sleep(0)

    for task in asyncio.all_tasks():
        if task.get_name() == "hephaestus-redis":
            task.cancel()

    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2


async def _under_way(pipeline: Pipeline, wire: Wire) -> "asyncio.Task[list[Any]]":
    """Return a call whose flight is under way."""
    first = asyncio.create_task(pipeline.ask(("GET", "first")))
    await wire.departed.wait()
    return first


async def test_over_a_wire_each_reply_settles_its_own_caller() -> None:
    link, kept = over_a_wire()
    pipeline = Pipeline(link, b"{x}:")
    callers = [asyncio.create_task(pipeline.ask(("GET", n))) for n in range(3)]
    await _until(lambda: len(kept.lands) == 3)

    for n, land in enumerate(kept.lands):
        land(f"reply {n}")

    assert [await one for one in callers] == [[f"reply {n}"] for n in range(3)]
    assert link.flights == []


@pytest.mark.parametrize("lost", [NotConnected("gone"), NoScriptError("which?")])
async def test_what_a_wire_lost_or_was_not_known_is_sent_again_without_it(lost: Exception) -> None:
    link, kept = over_a_wire()
    pipeline = Pipeline(link, b"{x}:")
    callers = [asyncio.create_task(pipeline.ask(("GET", n))) for n in range(3)]
    await _until(lambda: len(kept.lands) == 3)
    callers[1].cancel()
    await asyncio.sleep(0)

    kept.lands[0]("reply 0")
    for land in kept.lands[1:]:
        land(lost)
    await pipeline.let_go()

    assert [await callers[0], await callers[2]] == [["reply 0"], [("GET", 2)]]
    assert link.flights == [[("GET", 2)]]


async def test_a_pipeline_lets_go_once_all_has_landed() -> None:
    link, kept = over_a_wire()
    pipeline = Pipeline(link, b"{x}:")
    caller = asyncio.create_task(pipeline.ask(("PING",)))
    await _until(lambda: len(kept.lands) == 1)

    letting_go = asyncio.create_task(pipeline.let_go())
    await asyncio.sleep(0)
    was_done = letting_go.done()
    kept.lands[0]("PONG")
    await letting_go

    assert not was_done
    assert await caller == ["PONG"]


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0)
