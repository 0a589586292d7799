"""A worker of this project: `dramatiq bench.workers.ours`."""

from bench.workers import place
from hephaestus import Done, Hephaestus, StepContext, Workflow, step
from hephaestus.storage import Storage
from hephaestus_dramatiq import DramatiqRunner
from hephaestus_postgres import PostgresStorage
from hephaestus_redis import RedisStorage


@step
async def first(ctx: StepContext) -> dict[str, int]:
    """Add one."""
    return {"number": ctx.initial["number"] + 1}


@step
async def second(ctx: StepContext) -> dict[str, int]:
    """Add one."""
    return {"number": ctx[first]["number"] + 1}


@step
async def third(ctx: StepContext) -> dict[str, int]:
    """Add one."""
    return {"number": ctx[second]["number"] + 1}


class Line(Workflow, unique="number", name="bench.Line"):
    """Three steps."""

    start_step = first
    transitions = {first: {"done": second}, second: {"done": third}, third: {"done": Done}}


setting = place.setting()
storage: Storage
if place.storage() == "postgres":
    storage = PostgresStorage(setting.sqlalchemy)
else:
    storage = RedisStorage(setting.redis, namespace=setting.name)
broker = place.broker()
app = Hephaestus(
    storage,
    DramatiqRunner(broker, queue=setting.name, orchestration_queue=f"{setting.name}.orchestration"),
)
