"""The brokers that the tests run on, each with queues of its own for every test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias
from uuid import uuid4

import pika.exceptions
import pytest
from dramatiq import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import dq_name, xq_name

from stacks.stub import StubServer

Connect: TypeAlias = Callable[[], Broker]


@contextmanager
def stub(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Give connections to queues in this process."""
    yield StubServer().connect


@contextmanager
def redis(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Give connections to a Redis, within one namespace."""
    url = request.getfixturevalue("redis_url")
    namespace = request.getfixturevalue("redis_namespace")
    brokers: list[RedisBroker] = []

    def connect() -> Broker:
        brokers.append(RedisBroker(url=url, namespace=f"{namespace}-broker"))
        return brokers[-1]

    yield connect
    for broker in brokers:
        broker.client.close()


@contextmanager
def rabbitmq(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Give connections to a RabbitMQ, and remove the queues that were declared."""
    url = request.getfixturevalue("rabbitmq_url")
    brokers: list[RabbitmqBroker] = []

    def connect() -> Broker:
        brokers.append(RabbitmqBroker(url=url))
        return brokers[-1]

    yield connect
    for queue in sorted({queue for broker in brokers for queue in broker.queues}):
        for name in (queue, dq_name(queue), xq_name(queue)):
            brokers[0].channel.queue_delete(name)
    for broker in brokers:
        with suppress(pika.exceptions.AMQPError):
            broker.close()


BROKERS = {"stub": stub, "redis": redis, "rabbitmq": rabbitmq}


def new_queue() -> str:
    """Return the name of a queue that does not exist yet."""
    return f"test_{uuid4().hex}"
