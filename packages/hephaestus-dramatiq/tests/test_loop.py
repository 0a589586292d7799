"""Threads leave work for an event loop."""

import asyncio
import threading
from functools import partial
from unittest.mock import patch

import pytest

from hephaestus_dramatiq.failures import NotOpen
from hephaestus_dramatiq.loop import Inlet


async def test_the_loop_is_woken_once_for_all_that_waits() -> None:
    loop = asyncio.get_running_loop()
    inlet = Inlet(loop)
    done: list[int] = []

    with patch.object(loop, "call_soon_threadsafe", wraps=loop.call_soon_threadsafe) as wake:
        for number in range(3):
            inlet.put(partial(done.append, number))
        await asyncio.sleep(0)

    assert done == [0, 1, 2]
    assert wake.call_count == 1


async def test_what_comes_after_the_loop_was_woken_wakes_it_again() -> None:
    inlet = Inlet(asyncio.get_running_loop())
    done: list[str] = []
    inlet.put(lambda: done.append("first"))
    await asyncio.sleep(0)

    inlet.put(lambda: done.append("second"))
    await asyncio.sleep(0)

    assert done == ["first", "second"]


async def test_nothing_is_lost_of_what_many_threads_leave() -> None:
    inlet = Inlet(asyncio.get_running_loop())
    over = asyncio.Event()
    left = [8 * 500]

    def one() -> None:
        left[0] -= 1
        if not left[0]:
            over.set()

    def leave() -> None:
        for _ in range(500):
            inlet.put(one)

    for _ in range(8):
        threading.Thread(target=leave).start()
    await asyncio.wait_for(over.wait(), 10)

    assert left == [0]


def test_a_closed_loop_takes_nothing() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    inlet = Inlet(loop)

    with pytest.raises(NotOpen):
        inlet.put(lambda: None)
    with pytest.raises(NotOpen):
        inlet.put(lambda: None)
