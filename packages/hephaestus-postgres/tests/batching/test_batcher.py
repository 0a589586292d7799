"""Members travel together, and each succeeds or fails alone."""

import asyncio
import itertools

import pytest

from batching.flights import Flights
from hephaestus.errors import StorageUnavailable

MIB = 1024 * 1024


async def test_a_member_does_not_wait_while_nothing_is_under_way() -> None:
    flights = Flights()

    arrived = await flights.batcher.send("a")

    assert ("a arrived", [["a"]]) == (arrived, flights.sent)


async def test_members_that_arrive_during_a_flight_travel_together_in_the_next() -> None:
    flights = Flights()
    flights.hold()
    first = flights.board("a")
    await flights.took_off(1)

    others = flights.board("b", "c", "d")
    await asyncio.sleep(0)
    flights.landing.set()
    arrived = await asyncio.gather(*first, *others)

    assert [["a"], ["b", "c", "d"]] == flights.sent
    assert [f"{member} arrived" for member in "abcd"] == arrived


async def test_a_member_that_the_flight_answers_with_an_error_fails_alone() -> None:
    flights = Flights()
    flights.answers["b"] = StorageUnavailable("storage", "only this one")

    arrived = await asyncio.gather(*flights.board("a", "b", "c"), return_exceptions=True)

    assert ["a arrived", "c arrived"] == [arrived[0], arrived[2]]
    assert isinstance(arrived[1], StorageUnavailable)


async def test_a_member_that_the_flight_left_goes_alone() -> None:
    flights = Flights()
    flights.answers["b"] = None

    arrived = await asyncio.gather(*flights.board("a", "b", "c"))

    assert ["a arrived", "b arrived alone", "c arrived"] == arrived


async def test_a_member_that_the_database_refuses_is_found_and_fails_alone() -> None:
    flights = Flights()
    flights.refused.add("f")

    arrived = await asyncio.gather(*flights.board(*"abcdefgh"), return_exceptions=True)

    assert [f"{member} arrived" for member in "abcdegh"] == arrived[:5] + arrived[6:]
    assert isinstance(arrived[5], ValueError)
    assert ["f"] == flights.alone


async def test_who_goes_alone_holds_up_nobody() -> None:
    flights = Flights()
    back = asyncio.Event()

    async def wait_for_ever(member: str) -> str:
        await back.wait()
        return f"{member} is back"

    flights.batcher._alone = wait_for_ever
    flights.answers["slow"] = None
    slow = flights.board("slow")
    await flights.took_off(1)

    arrived = await asyncio.gather(*flights.board("b", "c"))
    waited = not slow[0].done()
    back.set()

    assert (True, ["b arrived", "c arrived"]) == (waited, arrived)
    assert "slow is back" == await slow[0]


async def test_a_caller_that_is_cancelled_before_takeoff_takes_its_member_back() -> None:
    flights = Flights()
    flights.hold()
    first = flights.board("a")
    await flights.took_off(1)
    second, third = flights.board("b", "c")
    await asyncio.sleep(0)

    second.cancel()
    await asyncio.sleep(0)
    flights.landing.set()
    await asyncio.gather(*first, third)

    assert [["a"], ["c"]] == flights.sent


async def test_a_flight_lands_although_its_caller_is_cancelled() -> None:
    flights = Flights()
    flights.hold()
    caller, neighbour = flights.board("a", "b")
    await flights.took_off(1)

    caller.cancel()
    flights.landing.set()

    assert "b arrived" == await neighbour
    assert [["a", "b"]] == flights.sent
    assert caller.cancelled()


async def test_one_place_is_taken_once_in_a_flight_and_in_order() -> None:
    flights = Flights(place=lambda member: member[0])

    await asyncio.gather(*flights.board("a1", "a2", "b1", "a3", "b2", "c1"))

    assert [["a1", "b1", "c1"], ["a2", "b2"], ["a3"]] == flights.sent


async def test_a_flight_has_256_members_at_most() -> None:
    flights = Flights()

    await asyncio.gather(*flights.board(*(f"{number}" for number in range(600))))

    assert [256, 256, 88] == [len(members) for members in flights.sent]
    assert [f"{number}" for number in range(600)] == [*itertools.chain(*flights.sent)]


async def test_a_flight_takes_4_mib_at_most_or_one_member() -> None:
    sizes = {"a": 3 * MIB, "b": MIB, "c": 1, "d": 9 * MIB, "e": 1}
    flights = Flights(size=sizes.__getitem__)

    await asyncio.gather(*flights.board(*sizes))

    assert [["a", "b"], ["c"], ["d"], ["e"]] == flights.sent


async def test_each_caller_of_a_lost_flight_gets_an_error_of_its_own() -> None:
    flights = Flights()
    lost = StorageUnavailable("storage", "lost")

    async def fail(_: object) -> list[str]:
        raise lost from OSError("reset")

    flights.batcher._fly = fail
    errors = await asyncio.gather(*flights.board("a", "b"), return_exceptions=True)

    assert [str(lost)] * 2 == [str(error) for error in errors]
    assert isinstance(errors[0], StorageUnavailable)
    assert errors[0] is not errors[1]
    assert isinstance(errors[0].__cause__, OSError)


async def test_it_is_idle_when_all_have_arrived() -> None:
    flights = Flights()
    flights.hold()
    tasks = flights.board("a", "b")
    await flights.took_off(1)
    idle = asyncio.create_task(flights.batcher.idle())
    await asyncio.sleep(0)
    before = idle.done()

    flights.landing.set()
    await idle

    assert (False, [True, True]) == (before, [task.done() for task in tasks])


@pytest.mark.parametrize("error", [ValueError("a mistake"), OSError("a socket")])
async def test_what_a_flight_raises_goes_to_its_callers_and_the_next_leaves(
    error: Exception,
) -> None:
    flights = Flights()
    fly, flights.batcher._fly = flights.batcher._fly, _raising(error)
    with pytest.raises(type(error)):
        await flights.batcher.send("a")

    flights.batcher._fly = fly

    assert "b arrived" == await flights.batcher.send("b")


def _raising(error: Exception):  # type: ignore[no-untyped-def]  # of the signature of `fly`
    async def fly(_: object) -> list[str]:
        raise error

    return fly
