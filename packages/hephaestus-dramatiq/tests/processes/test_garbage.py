"""What is no message at all, on the queue of the steps."""

from typing import Any
from uuid import uuid4

import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker

from hephaestus import Hephaestus
from processes.conftest import PATIENCE, Fleet, said
from processes.plumbing import make_broker
from processes.shop import Order

GARBAGE = b"\x00 this is no JSON"


def _put_garbage(broker: Any, queue: str) -> None:
    """Put bytes on a queue that no encoder has written."""
    broker.declare_queue(queue)
    if isinstance(broker, RedisBroker):
        broker.do_enqueue(queue, str(uuid4()), GARBAGE)
    else:
        assert isinstance(broker, RabbitmqBroker)
        broker.declare_queue(queue, ensure=True)
        broker.channel.basic_publish(exchange="", routing_key=queue, body=GARBAGE)


@pytest.mark.parametrize("stack", [("redis", "rabbitmq"), ("redis", "redis")], ids="-".join)
async def test_garbage_is_told_of_and_keeps_nobody(
    web: Hephaestus, fleet: Fleet, settings: dict[str, str], stack: tuple[str, str]
) -> None:
    broker: Any = make_broker(settings)
    _put_garbage(broker, settings["QUEUE"])

    fleet.launch()
    await said(fleet, "Failed to decode message")
    order = await Order.start("1", {})
    instance = await order.wait(PATIENCE)

    assert "completed" == instance.status
    if stack[1] == "rabbitmq":
        _, _, dead = broker.get_queue_message_counts(settings["QUEUE"])
        assert 1 == dead
    broker.close()
