"""A worker with more runs than threads."""

from typing import Any

from hephaestus import Done, Workflow
from hephaestus.steps import StepContext
from hephaestus.testing.runner.room import Crowd
from hephaestus.testing.runner.stage import PATIENCE, Stage, eventually
from hephaestus.testing.runner.workflows import Computation, Directed, Errand, PlainlyDirected
from working.conftest import Bench

MANY, THREADS = 20, 2
pack, weigh, send = Directed("pack"), PlainlyDirected("weigh"), Directed("send")


class Mixed(Workflow, unique="roommixed"):
    """A plain step between two others."""

    start_step = pack
    transitions = {pack: {"done": weigh}, weigh: {"done": send}, send: {"done": Done}}


async def start(workflow: Any, stage: Stage, count: int = MANY) -> list[Any]:
    """Start so many runs."""
    return [await workflow.start(str(number), stage.initial()) for number in range(count)]


def gather(stage: Stage, step: str, count: int) -> Crowd:
    """Direct a step to wait until so many are inside together."""
    crowd = Crowd()

    async def body(_: StepContext) -> None:
        crowd.enter()
        stage.mark(f"in {step}")
        await stage.reached(f"in {step}", times=count)
        crowd.leave()

    stage.direct(step, body)
    return crowd


async def test_runs_that_need_no_thread_are_more_than_there_are_threads(
    bench: Bench, stage: Stage
) -> None:
    crowd = gather(stage, "run_errand", MANY)
    await bench.open(concurrency=MANY, threads=THREADS)

    for errand in await start(Errand, stage):
        await errand.result(PATIENCE)

    assert MANY == crowd.most


async def test_a_message_is_acknowledged_when_its_step_is_leased(
    bench: Bench, stage: Stage
) -> None:
    stage.direct("run_errand", lambda _: stage.reached("go"))
    await bench.open(concurrency=MANY, threads=THREADS)

    errands = await start(Errand, stage)
    await stage.reached("run_errand", times=MANY)

    async def is_acknowledged() -> bool:
        return bench.server.queues["steps"].unfinished_tasks == THREADS

    await eventually(is_acknowledged)
    stage.mark("go")
    for errand in errands:
        await errand.result(PATIENCE)


async def test_what_there_is_no_room_for_stays_with_the_broker(bench: Bench, stage: Stage) -> None:
    stage.direct("run_errand", lambda _: stage.reached("go"))
    await bench.open(concurrency=THREADS + 1, threads=THREADS)
    errands = await start(Errand, stage)
    await stage.reached("run_errand", times=THREADS + 1)

    other = await bench.open(concurrency=MANY, threads=THREADS)
    fetched_ahead = THREADS
    rest = MANY - (THREADS + 1) - fetched_ahead
    await stage.reached("run_errand", times=THREADS + 1 + rest)
    stage.mark("go")
    for errand in errands:
        await other.wait(errand.run_id, PATIENCE)

    assert MANY == stage.count("run_errand")


async def test_plain_steps_are_as_many_as_there_are_threads(bench: Bench, stage: Stage) -> None:
    crowd = Crowd()

    def compute(_: StepContext) -> None:
        crowd.enter()
        stage.mark("inside")
        stage.reached_in_thread("inside", times=THREADS)
        crowd.leave()

    stage.direct("compute", compute)
    await bench.open(concurrency=MANY, threads=THREADS)

    for computation in await start(Computation, stage):
        await computation.result(PATIENCE)

    assert THREADS == crowd.most


async def test_a_line_keeps_its_thread_until_its_last_plain_step(
    bench: Bench, stage: Stage
) -> None:
    before = gather(stage, "pack", THREADS)
    after = gather(stage, "send", THREADS + 2)
    await bench.open(concurrency=MANY, threads=THREADS)

    runs = await start(Mixed, stage, THREADS + 2)
    for run in runs:
        await run.result(PATIENCE)

    assert (THREADS, THREADS + 2) == (before.most, after.most)
    assert [run.run_id for run in runs] == [m.kwargs["run_id"] for m in bench.spy.sent]
