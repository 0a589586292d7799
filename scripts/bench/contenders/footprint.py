"""What this project and its peers take, each alone in its environment."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from bench.contract import Contender, Setting
from bench.environments import OURS
from bench.jobs.footprint import FOOTPRINT


@asynccontextmanager
async def programs(_: Setting, *, imported: str, app: str) -> AsyncIterator[Mapping[str, str]]:
    """Name what is run."""
    yield {"import": imported, "app": f"bench.contenders.idle.{app}"}


def _contender(name: str, title: str, imported: str, note: str, *distributions: str) -> Contender:
    return Contender(
        name=name,
        job=FOOTPRINT,
        title=title,
        distributions=distributions,
        open=partial(programs, imported=imported, app=name),
        ours=name == "hephaestus",
        environment=OURS if name == "hephaestus" else name,
        note=note,
    )


CONTENDERS = (
    _contender(
        "hephaestus",
        "Hephaestus, PostgresStorage",
        "hephaestus, hephaestus_postgres",
        "opened",
        "hephaestus-core",
        "hephaestus-postgres",
    ),
    _contender("dbos", "DBOS", "dbos", "launched", "dbos"),
    _contender(
        "temporalio",
        "Temporal SDK",
        "temporalio.client, temporalio.worker, temporalio.workflow, temporalio.activity",
        "a workflow is defined, a lazy client made; its server is not counted",
        "temporalio",
    ),
    _contender(
        "prefect",
        "Prefect",
        "prefect",
        "a flow is defined; its server is not counted",
        "prefect",
    ),
)
