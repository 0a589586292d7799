"""The app: parcels in Postgres, steps in the workers that `dramatiq depot` starts."""

import os

import parcels  # noqa: F401  # whoever runs the app has to know its workflows
from dramatiq import set_broker
from dramatiq.brokers.redis import RedisBroker

from hephaestus import Hephaestus
from hephaestus_dramatiq import DramatiqRunner
from hephaestus_postgres import PostgresStorage

broker = RedisBroker(url=os.environ["REDIS_URL"])
set_broker(broker)
app = Hephaestus(PostgresStorage(os.environ["DATABASE_URL"]), DramatiqRunner(broker))
