"""An app from the environment: the same in the test, which is the web process, and in workers."""

import json
import os
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from dramatiq import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker

from hephaestus import Hephaestus, StepContext
from hephaestus.engine import handout
from hephaestus.storage import Storage
from hephaestus_dramatiq import DramatiqRunner
from hephaestus_postgres import PostgresStorage
from hephaestus_redis import RedisStorage


def make_app(settings: Mapping[str, str]) -> Hephaestus:
    """Return an app that is not open."""
    seconds = settings.get("FIRST_DISPATCH")
    if seconds is not None:
        # Half a minute that a sent step has is long for a test whose messages are lost.
        handout._FIRST_DISPATCH = timedelta(seconds=float(seconds))
    options = json.loads(settings["OPTIONS"])
    runner = DramatiqRunner(make_broker(settings), queue=settings["QUEUE"], **options)
    return Hephaestus(make_storage(settings), runner)


def make_broker(settings: Mapping[str, str]) -> Broker:
    """Return a broker whose queues are those of this test."""
    url = settings["BROKER"]
    if url.startswith("amqp"):
        return RabbitmqBroker(url=url)
    return RedisBroker(url=url, namespace=f"{settings['NAMESPACE']}-broker")


def make_storage(settings: Mapping[str, str]) -> Storage:
    """Return the storage of this test."""
    url = settings["STORAGE"]
    if url.startswith("postgresql"):
        return PostgresStorage(url, schema=settings["SCHEMA"])
    return RedisStorage(url, namespace=settings["NAMESPACE"])


def mark(ctx: StepContext, step: str) -> None:
    """Note in a file that all processes share that an attempt of a step began."""
    line = {"step": step, "id": ctx.instance.id, "attempt": ctx.attempt, "pid": os.getpid()}
    with Path(os.environ["MARKS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps({**line, "at": time.time()}) + "\n")


def marks() -> list[dict[str, Any]]:
    """Return what was noted so far."""
    path = Path(os.environ["MARKS"])
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def is_open(gate: str) -> bool:
    """Tell whether the test has opened a gate for which steps wait."""
    return Path(os.environ["MARKS"]).with_name(gate).exists()
