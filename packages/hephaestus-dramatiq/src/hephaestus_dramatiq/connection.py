"""The connection that a RabbitmqBroker keeps for each thread; other brokers share theirs."""

from typing import Any

from dramatiq import Broker


def has_connection(broker: Broker) -> bool:
    """Tell whether the broker has one for each thread."""
    return isinstance(getattr(type(broker), "connection", None), property)


def keep_alive(broker: Any) -> None:
    """Answer the server's heartbeats, or it closes a connection that sends nothing for long."""
    broker.connection.process_data_events()


def disconnect(broker: Any) -> None:
    """Close the connection of this thread."""
    del broker.connection
