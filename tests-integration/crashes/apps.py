"""The app of a scenario: the same setting makes that of its workers and that of the load."""

from datetime import timedelta

from dramatiq import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker

from crashes.doom import doomed
from crashes.outside import OutsideRunner
from crashes.setting import Setting
from hephaestus import Hephaestus, LocalRunner
from hephaestus.engine import handout
from hephaestus.runner import Runner
from hephaestus.storage import Storage
from hephaestus_dramatiq import DramatiqRunner
from hephaestus_postgres import PostgresStorage
from hephaestus_redis import RedisStorage

CONCURRENCY = 16


def make_storage(setting: Setting) -> Storage:
    """Return the storage, which may be doomed."""
    storage: Storage
    if setting.is_transactional:
        storage = PostgresStorage(setting.storage, schema=setting.space)
    else:
        storage = RedisStorage(setting.storage, namespace=setting.space)
    return storage if setting.doom is None else doomed(storage, setting.doom)


def make_broker(setting: Setting) -> Broker:
    """Return a connection to the broker."""
    url = setting.broker or ""
    if url.startswith("amqp"):
        return RabbitmqBroker(url=url)
    return RedisBroker(url=url, namespace=f"{setting.space}-broker")


def queues(setting: Setting) -> tuple[str, str]:
    """Return the queues of the steps and of the orchestration."""
    return setting.queue, f"{setting.queue}.orchestration"


def worker_app(setting: Setting) -> Hephaestus:
    """Return the app of a process that executes steps."""
    return Hephaestus(make_storage(setting), _worker_runner(setting))


def outside_app(setting: Setting) -> Hephaestus:
    """Return the app of the process that starts runs, and executes nothing."""
    runner = OutsideRunner() if setting.broker is None else _dramatiq(setting)
    return Hephaestus(make_storage(setting), runner)


def _worker_runner(setting: Setting) -> Runner:
    if setting.broker is not None:
        return _dramatiq(setting)
    return LocalRunner(
        concurrency=CONCURRENCY,
        lease=setting.lease,
        poll=setting.poll,
        grace=1,
        name=setting.name,
    )


def _dramatiq(setting: Setting) -> DramatiqRunner:
    # Half a minute that a sent step has is long where messages are lost all the time.
    handout._FIRST_DISPATCH = timedelta(seconds=setting.dispatch)  # noqa: SLF001  # no user needs it
    queue, orchestration = queues(setting)
    return DramatiqRunner(
        make_broker(setting),
        queue=queue,
        orchestration_queue=orchestration,
        lease=setting.lease,
        poll=setting.poll,
        grace=1,
        name=setting.name,
    )
