"""Outcomes that come in together are taken together."""

from hephaestus import Done, Hephaestus, MemoryStorage, Step, StepContext, Workflow, step
from hephaestus.storage import Change, Snapshot

WIDTH = 20


class Counted(MemoryStorage):
    """Counts the looks at runs, and the commits."""

    def __init__(self) -> None:
        super().__init__()
        self.loads = 0
        self.commits = 0

    async def load(self, run_id: str) -> Snapshot:
        self.loads += 1
        return await super().load(run_id)

    async def commit(self, change: Change) -> None:
        self.commits += 1
        await super().commit(change)


@step
async def split(ctx: StepContext) -> None: ...


def branch(place: int) -> Step:
    @step(key=f"branch-{place}")
    async def add(ctx: StepContext) -> dict[str, int]:
        return {"place": place}

    return add


branches = [branch(place) for place in range(WIDTH)]


@step
async def join(ctx: StepContext) -> dict[str, int]:
    return {"sum": sum(ctx[one]["place"] for one in branches)}


class Fan(Workflow, unique="turnsfan"):
    start_step = split
    transitions = {
        split: {"done": branches},
        **{one: {"done": join} for one in branches},
        join: {"done": Done},
    }


async def test_branches_that_end_together_cost_one_look_and_one_commit() -> None:
    storage = Counted()
    async with Hephaestus(storage):
        run = await Fan.start("1")

        result = await run.result()

    assert {"sum": sum(range(WIDTH))} == result
    assert 1 == storage.loads
    # Those of `split`, of the branches, and of `join`, which is alone and needs no message.
    assert 3 == storage.commits
