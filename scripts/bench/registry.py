"""Which jobs there are, and who does them."""

from bench.contenders import (
    burr,
    dbos,
    dramatiq,
    floor,
    footprint,
    hephaestus,
    langgraph,
    procrastinate,
    pydantic_graph,
)
from bench.contract import Contender, Job
from bench.jobs import crash, fan, finished, line, memory, waiting
from bench.jobs import dramatiq as dramatiq_jobs
from bench.jobs import footprint as footprint_jobs

JOBS: tuple[Job, ...] = (
    *line.JOBS,
    *memory.JOBS,
    *fan.JOBS,
    *dramatiq_jobs.JOBS,
    *crash.JOBS,
    *waiting.JOBS,
    *finished.JOBS,
    *footprint_jobs.JOBS,
)

CONTENDERS: tuple[Contender, ...] = (
    *hephaestus.CONTENDERS,
    *dramatiq.CONTENDERS,
    *dbos.CONTENDERS,
    *langgraph.CONTENDERS,
    *procrastinate.CONTENDERS,
    *pydantic_graph.CONTENDERS,
    *burr.CONTENDERS,
    *floor.CONTENDERS,
    *footprint.CONTENDERS,
)


def contenders(job: Job) -> list[Contender]:
    """Return those who do the job, in the order in which a round measures them."""
    return [contender for contender in CONTENDERS if contender.job is job]


def find(job: str, name: str) -> Contender:
    """Return the contender of that name for that job."""
    for contender in CONTENDERS:
        if (contender.job.name, contender.name) == (job, name):
            return contender
    raise ValueError(f"nobody called {name!r} does the job {job!r}")
