"""A server that opens the blocking door, and then forks its workers, as gunicorn may."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hephaestus
import hephaestus_postgres

SERVER = """
import asyncio, os
from hephaestus import Done, Hephaestus, LocalRunner, Workflow, step
from hephaestus.blocking import BlockingHephaestus
from hephaestus_postgres import PostgresStorage

@step
async def note(ctx):
    return {"pid": os.getpid(), "by": ctx.initial["by"]}

class Noting(Workflow, unique="noteid", name="forking.Noting"):
    start_step = note
    transitions = {note: {"done": Done}}

def make():
    storage = PostgresStorage(os.environ["SHOP_URL"], schema=os.environ["SHOP_SCHEMA"])
    return Hephaestus(storage, LocalRunner(poll=0.05))

async def migrate():
    await make().storage.migrate()

door = BlockingHephaestus(make, timeout=20)
asyncio.run(migrate())
door.start(Noting, "0", {"by": "parent"}).result(20)
children = []
for number in (1, 2, 3):
    pid = os.fork()
    if pid == 0:
        noted = door.start(Noting, str(number), {"by": number}).result(20)
        door.close()
        os._exit(0 if noted["by"] == number else 1)
    children.append(pid)
statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
print(statuses, door.count(status="completed"))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_every_forked_worker_has_connections_of_its_own(
    postgres_url: str, postgres_schema: str
) -> None:
    sources = [str(Path(str(m.__file__)).parents[1]) for m in (hephaestus, hephaestus_postgres)]

    server = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", SERVER],
        env=os.environ
        | {
            "SHOP_URL": postgres_url,
            "SHOP_SCHEMA": postgres_schema,
            "PYTHONPATH": os.pathsep.join(sources),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    assert ("[0, 0, 0] 4\n", "") == (server.stdout, server.stderr)
