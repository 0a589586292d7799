"""Seats: lent to a run's next step, and never lost."""

import asyncio
import threading

import pytest

from hephaestus_dramatiq import seats as module
from hephaestus_dramatiq.failures import NotOpen
from hephaestus_dramatiq.loop import Call
from hephaestus_dramatiq.seats import Room, Seat, Seats

LINE, OTHER = object(), object()


def is_free(call: Call) -> bool:
    """Tell whether the thread of a call goes on."""
    return call._is_over


@pytest.fixture
def seats() -> Seats:
    return Seats()


@pytest.fixture
def seat() -> Seat:
    seat = Seat("run", "steps")
    seat.sit(LINE)
    return seat


def test_a_seat_that_nobody_takes_is_free_when_its_line_ends(seats: Seats, seat: Seat) -> None:
    seats.offer(seat)
    seats.leave(seat, LINE)

    assert is_free(seat)
    assert 0 == len(seats)


def test_a_line_that_never_offered_its_seat_leaves_it_free(seats: Seats, seat: Seat) -> None:
    seats.leave(seat, LINE)

    assert is_free(seat)


def test_a_seat_that_was_taken_stays_with_who_took_it(seats: Seats, seat: Seat) -> None:
    seats.offer(seat)
    taken = seats.take("run", "steps")
    seats.leave(seat, LINE)
    assert taken is not None
    taken.sit(OTHER)

    before = is_free(seat)
    seats.leave(seat, OTHER)

    assert (False, True) == (before, is_free(seat))


def test_who_sits_down_before_the_former_leaves_keeps_the_seat(seats: Seats, seat: Seat) -> None:
    seats.offer(seat)
    seats.take("run", "steps")
    seat.sit(OTHER)

    seats.leave(seat, LINE)

    assert not is_free(seat)


def test_a_seat_taken_for_nothing_is_offered_again(seats: Seats, seat: Seat) -> None:
    seats.offer(seat)
    seats.take("run", "steps")

    seats.give_back(seat)

    assert seat is seats.take("run", "steps")


def test_a_seat_taken_for_nothing_is_free_where_its_line_has_left(seats: Seats, seat: Seat) -> None:
    seats.offer(seat)
    seats.take("run", "steps")
    seats.leave(seat, LINE)

    seats.give_back(seat)

    assert is_free(seat)
    assert seats.take("run", "steps") is None


def test_a_seat_is_for_its_own_run_and_queue(seats: Seats, seat: Seat) -> None:
    seats.offer(seat)

    assert seats.take("another run", "steps") is None
    assert seats.take("run", "payments") is None
    assert seat is seats.take("run", "steps")
    assert seats.take("run", "steps") is None


def test_seats_of_a_run_that_has_ended_are_free(seats: Seats, seat: Seat) -> None:
    seats.offer(seat)

    seats.dismiss("run")

    assert is_free(seat)
    assert 0 == len(seats)


def test_a_run_that_had_its_steps_gives_way(seats: Seats, seat: Seat) -> None:
    for _ in range(9):
        seat.sit(LINE)

    seats.offer(seat)

    assert is_free(seat)


def test_a_run_that_had_its_time_gives_way(seats: Seats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST", -1.0)
    seat = Seat("run", "steps")
    seat.sit(LINE)

    seats.offer(seat)

    assert is_free(seat)


def test_a_seat_without_a_thread_is_not_for_a_step_that_needs_one(seats: Seats, seat: Seat) -> None:
    Room(1).enter(seat)
    seats.offer(seat)

    assert seats.take("run", "steps", thread=True) is None
    assert seat is seats.take("run", "steps")


def test_threads_are_let_go_as_long_as_there_is_room() -> None:
    room = Room(2)
    seats = [Seat("run", "steps") for _ in range(3)]

    for seat in seats:
        room.enter(seat)
        room.enter(seat)

    assert [True, True, False] == [is_free(seat) for seat in seats]


def test_room_goes_to_the_thread_that_has_waited_longest() -> None:
    room = Room(1)
    first, second, third, fourth = (Seat("run", "steps") for _ in range(4))
    for seat in (first, second, third):
        room.enter(seat)

    second.end()
    first.end()
    room.enter(fourth)
    before = is_free(fourth)
    third.end()
    third.end()

    assert (True, False) == (is_free(third), before)
    assert is_free(fourth)


def test_a_seat_may_be_left_after_its_thread() -> None:
    room = Room(1)
    seat, other = Seat("run", "steps"), Seat("run", "steps")
    room.enter(seat)

    seat.end()
    room.enter(other)

    assert is_free(other)


def test_a_thread_waits_until_its_call_ends_and_raises_what_it_ended_with() -> None:
    call, raised = Call(), []
    loop = asyncio.new_event_loop()

    def wait() -> None:
        try:
            call.wait(loop)
        except LookupError as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    call.end(LookupError("gone"))
    call.end()
    thread.join(10)
    loop.close()

    assert ["gone"] == [str(error) for error in raised]


def test_a_thread_does_not_wait_for_a_loop_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hephaestus_dramatiq.loop._LOOK", 0.01)
    loop = asyncio.new_event_loop()
    loop.close()

    with pytest.raises(NotOpen):
        Call().wait(loop)
