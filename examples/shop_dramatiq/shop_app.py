"""The app that both sides import: workers by `dramatiq shop_app`, senders by `import`."""

import os

from dramatiq import set_broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from workflows import charge

from hephaestus import Hephaestus
from hephaestus_dramatiq import DramatiqRunner, Route
from hephaestus_postgres import PostgresStorage

broker = RabbitmqBroker(url=os.environ["RABBITMQ_URL"])
set_broker(broker)
runner = DramatiqRunner(
    broker,
    queue=os.environ.get("QUEUE", "shop"),
    orchestration_queue=os.environ.get("QUEUE", "shop") + ".orchestration",
    routes={charge: Route(queue=os.environ.get("QUEUE", "shop") + ".payments")},
)
app = Hephaestus(PostgresStorage(os.environ["DATABASE_URL"]), runner)
