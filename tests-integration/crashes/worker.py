"""The program of a worker process: it works until somebody ends it."""

import asyncio
import logging
import os
import signal
import time
from pathlib import Path

from dramatiq import Worker

from crashes import effects, flows
from crashes.apps import worker_app
from crashes.setting import Setting
from hephaestus import Hephaestus
from hephaestus.errors import StorageUnavailable
from hephaestus_dramatiq import DramatiqRunner

THREADS = 8
_GLANCE = 0.2


def work(setting: Setting) -> None:
    """Execute steps until the process is killed, or its parent is gone."""
    log = Path(setting.folder) / "workers.log"
    logging.basicConfig(
        filename=log, level=logging.WARNING, format="%(process)d %(asctime)s %(message)s"
    )
    effects.settle(setting.folder, setting.effects)
    app = worker_app(setting)
    if setting.broker is None:
        asyncio.run(_work_locally(app, setting))
    else:
        _work_for_a_broker(app)


async def _work_locally(app: Hephaestus, setting: Setting) -> None:
    parent = os.getppid()
    while True:
        try:
            await app.open()
            break
        except StorageUnavailable:
            await asyncio.sleep(_GLANCE)
    for kind in setting.starts:
        name, _, number = kind.partition("-")
        await flows.start(flows.KINDS[name], int(number))
    while os.getppid() == parent:  # noqa: ASYNC110  # nobody tells that a parent is gone
        await asyncio.sleep(_GLANCE)


def _work_for_a_broker(app: Hephaestus) -> None:
    parent = os.getppid()
    assert isinstance(app.runner, DramatiqRunner)
    worker = Worker(app.runner.broker, worker_timeout=50, worker_threads=THREADS)
    worker.start()
    while os.getppid() == parent:
        time.sleep(_GLANCE)
    os.kill(os.getpid(), signal.SIGKILL)
