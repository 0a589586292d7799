"""Where a worker finds its broker and its storage: what its starter wrote into its environment."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from bench.contract import Setting

if TYPE_CHECKING:
    from dramatiq import Broker

_SETTING, _BROKER, _STORAGE = "BENCH_SETTING", "BENCH_BROKER", "BENCH_STORAGE"


def environ(setting: Setting, *, broker: str, storage: str) -> Mapping[str, str]:
    """Return the variables for a worker."""
    return {_SETTING: json.dumps(asdict(setting)), _BROKER: broker, _STORAGE: storage}


def setting() -> Setting:
    """Return what the measurement was given."""
    return Setting(**json.loads(os.environ[_SETTING]))


def storage() -> str:
    """Return the name of the storage."""
    return os.environ[_STORAGE]


def broker() -> "Broker":
    """Return a connection to the broker, as the default one."""
    import dramatiq
    from dramatiq.brokers.rabbitmq import RabbitmqBroker
    from dramatiq.brokers.redis import RedisBroker

    given = setting()
    found: dramatiq.Broker
    if os.environ[_BROKER] == "rabbitmq":
        found = RabbitmqBroker(url=given.rabbitmq)
    else:
        found = RedisBroker(url=given.redis, namespace=f"{given.name}-broker")
    dramatiq.set_broker(found)
    return found
