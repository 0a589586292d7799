"""The benchmark's contenders do their jobs, and its report shows what was measured."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from bench import measure, registry, report
from bench.__main__ import main
from bench.contract import Contender, Figures, Run, WrongResult
from bench.jobs.line import LINE
from bench.report import Result
from bench.rounds import Record
from bench.throughput import PER_WORKFLOW, throughput

ABOUT = {
    "date": "2026-11-20 06:00 UTC",
    "command": "python -m bench",
    "machine": {"python": "3.11"},
}


@asynccontextmanager
async def adding(number: int) -> AsyncIterator[Run]:
    async def run(begin: int) -> int:
        return begin + number

    yield run


def contender(name: str, *, ours: bool = False) -> Contender:
    return Contender(
        name=name, job=LINE, title=name.title(), distributions=(), open=lambda: adding(3), ours=ours
    )


def figures(microseconds: float) -> Figures:
    return {PER_WORKFLOW: microseconds}


@pytest.mark.parametrize("one", registry.CONTENDERS, ids=lambda one: f"{one.job.name}-{one.name}")
async def test_a_contender_does_its_job(one: Contender) -> None:
    async with AsyncExitStack() as stack:
        try:
            run = await stack.enter_async_context(one.open())
        except ImportError as error:
            pytest.skip(str(error))
        results = [await run(number) for number in range(3)]

    assert [one.job.result(number) for number in range(3)] == results


async def test_a_contender_that_does_another_job_is_found_out() -> None:
    async with adding(4) as run:
        with pytest.raises(WrongResult, match="workflow of 0 returned 4 instead of 3"):
            await throughput(run, 10, in_flight=2, steps=3, result=LINE.result)


def test_one_of_each_job_is_ours_and_names_are_unique() -> None:
    for job in registry.JOBS:
        names = [one.name for one in registry.contenders(job)]
        assert len(set(names)) == len(names)
        assert 1 == sum(one.ours for one in registry.contenders(job))


def test_a_contender_whose_library_is_missing_says_so() -> None:
    @asynccontextmanager
    async def needy() -> AsyncIterator[Run]:
        raise ModuleNotFoundError("No module named 'rival'")
        yield

    found = measure.outcome(replace(contender("rival"), open=needy), 1)

    assert {"missing": "No module named 'rival'"} == found


def test_the_table_shows_medians_ranges_and_ratios_within_a_round() -> None:
    ours = Record(contender=contender("ours", ours=True), versions={"ours-core": "1.2"})
    ours.samples = [figures(100), figures(200), figures(110)]
    rival = Record(contender=contender("rival"))
    rival.samples = [figures(300), figures(400), figures(330)]
    result = Result(job=LINE, size=1000, rounds=3, records=[ours, rival])

    table = report.as_markdown(ABOUT, [result])

    assert "| Ours (ours-core 1.2) | 110 (100 to 200) | 1.00 (1.00 to 1.00) |" in table
    assert "| Rival | 330 (300 to 400) | 3.00 (2.00 to 3.00) |" in table
    assert "Not measured" not in table


def test_who_was_not_measured_is_reported() -> None:
    ours = Record(contender=contender("ours", ours=True), samples=[figures(100)])
    missing = Record(contender=contender("rival"), missing="No module named 'rival'")
    failed = Record(contender=contender("other"), failure="WrongResult: it returned 4")
    result = Result(job=LINE, size=1000, rounds=1, records=[ours, missing, failed])

    table = report.as_markdown(ABOUT, [result])

    assert "Not measured: Rival: No module named 'rival'." in table
    assert "Not measured: Other: WrongResult: it returned 4." in table


def test_the_json_holds_every_sample() -> None:
    ours = Record(contender=contender("ours", ours=True), samples=[figures(100), figures(120)])
    result = Result(job=LINE, size=1000, rounds=2, records=[ours])

    written = json.loads(json.dumps(report.as_json(ABOUT, [result])))

    (told,) = written["jobs"][0]["contenders"]
    assert "python -m bench" == written["command"]
    assert [100, 120] == told["figures"][PER_WORKFLOW]["rounds"]
    assert 110 == told["figures"][PER_WORKFLOW]["median"]


def test_a_benchmark_of_no_rounds_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--rounds", "0"])

    assert "--rounds is 1 or more" in capsys.readouterr().err
