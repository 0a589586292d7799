"""The app: parcels in Postgres, steps in this process."""

import os

import parcels  # noqa: F401  # whoever runs the app has to know its workflows

from hephaestus import Hephaestus
from hephaestus_postgres import PostgresStorage

app = Hephaestus(PostgresStorage(os.environ["DATABASE_URL"]))
