"""A worker whose messages do nothing: `dramatiq bench.workers.noop`."""

import itertools
import os
import socket
import time
from functools import cache

import dramatiq

from bench.workers import place

PORT = "BENCH_PORT"
"""The variable that says where the starter listens."""

broker = place.broker()
_counter = itertools.count(1)


@dramatiq.actor(queue_name=place.setting().name)
def noop(last: int) -> None:
    """Do nothing; with the message that makes so many in all, say when that was."""
    if next(_counter) == last:
        _line().sendall(f"{time.time()}\n".encode())


@cache
def _line() -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(os.environ[PORT])))
