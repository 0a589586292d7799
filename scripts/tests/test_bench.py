"""The benchmark's contenders do their jobs, and its report shows what was measured."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from bench import aims, environments, measure, plot, registry, report, rounds, watch
from bench.__main__ import main
from bench.backends import Backends
from bench.contract import Aim, Contender, Figures, Job, Run, Setting, WrongResult
from bench.drive import P99, PER_SECOND, PER_WORKFLOW, cost, rate
from bench.jobs import line, memory
from bench.jobs.crash import LOST
from bench.jobs.line import add_steps
from bench.jobs.memory import MEMORY
from bench.relay import Relay
from bench.report import Result
from bench.rounds import Record
from servers.server import Server

ABOUT = {
    "date": "2026-11-20 06:00 UTC",
    "command": "python3 scripts/run.py rivals:bench",
    "commit": "abc1234",
    "machine": {"python": "3.11"},
}


@asynccontextmanager
async def adding(_: Setting, *, number: int = 3) -> AsyncIterator[Run]:
    async def run(begin: int) -> int:
        return begin + number

    yield run


def contender(name: str, *, job: Job = MEMORY, ours: bool = False) -> Contender:
    return Contender(
        name=name, job=job, title=name.title(), distributions=(), open=adding, ours=ours
    )


def figures(microseconds: float) -> Figures:
    return {PER_WORKFLOW: microseconds}


@pytest.fixture(scope="module")
def backends(postgres_server: Server, redis_server: Server) -> Iterator[Backends]:
    with Backends({"postgres": postgres_server, "redis": redis_server}) as found:
        yield found


LINES = [
    one
    for one in registry.CONTENDERS
    if one.environment is None and one.job in (*line.JOBS, *memory.JOBS)
]


@pytest.mark.parametrize("one", LINES, ids=lambda one: f"{one.job.name}-{one.name}")
async def test_a_contender_of_this_environment_does_its_job(
    one: Contender, backends: Backends
) -> None:
    with backends.setting(one.job, 1) as setting:
        async with one.open(setting) as run:
            results = [await run(number) for number in range(3)]

    assert [add_steps(number) for number in range(3)] == results


def test_processes_that_share_the_work_are_measured_together(backends: Backends) -> None:
    record = Record(contender=registry.find("throughput-2", "hephaestus"))

    rounds.measure(record, 0.1, backends)

    assert (None, None) == (record.missing, record.failure)
    assert record.samples[0][PER_SECOND] > 0


def test_commits_wal_and_round_trips_are_counted(backends: Backends) -> None:
    record = Record(contender=registry.find("writes-alone", "hephaestus"))

    rounds.measure(record, 20, backends)

    assert (None, None) == (record.missing, record.failure)
    assert {watch.COMMITS, watch.WAL, watch.ROUND_TRIPS} == set(record.samples[0])
    assert all(value > 0 for value in record.samples[0].values())


def test_a_killed_worker_is_started_again(backends: Backends) -> None:
    record = Record(contender=registry.find("crash", "hephaestus"))

    rounds.measure(record, 10, backends)

    assert (None, None) == (record.missing, record.failure)
    assert 0 == record.samples[0][LOST]


def test_runs_that_wait_are_sent_their_events(backends: Backends) -> None:
    record = Record(contender=registry.find("waiting", "redis"))

    rounds.measure(record, 20, backends)

    assert (None, None) == (record.missing, record.failure)
    assert record.samples[0][P99] > 0


def test_a_relay_counts_who_speaks_after_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with Relay(f"redis://127.0.0.1:{port}/0") as relay:
            address = urlsplit(relay.url)
            with socket.create_connection((address.hostname, address.port)) as client:
                server, _ = listener.accept()
                for question in (b"one", b"two"):
                    client.sendall(question)
                    assert question == server.recv(10)
                    server.sendall(b"answer")
                    assert b"answer" == client.recv(10)
                server.close()

        assert 2 == relay.round_trips
        assert "/0" == address.path


def test_the_drawing_has_a_line_for_each_who_was_measured() -> None:
    samples: list[Figures] = [{"1": 10.0, "4": 200.0}]
    records = [
        Record(contender=contender("ours & more", ours=True), samples=samples),
        Record(contender=contender("rival"), samples=samples),
        Record(contender=contender("other"), missing="No module named 'other'"),
    ]

    drawn = ElementTree.fromstring(plot.of_rates(records))

    assert 2 == len(drawn.findall("{*}polyline"))
    assert "Ours & More" in {text.text for text in drawn.findall("{*}text")}


def test_a_peer_that_cannot_be_installed_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, backends: Backends
) -> None:
    monkeypatch.setenv("HATCH_ENV_TYPE_VIRTUAL_UV_PATH", "/bin/false")
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path)
    environments.python_of.cache_clear()
    record = Record(contender=registry.find("memory", "burr"))

    rounds.measure(record, 1, backends)

    assert "false could not install it: exit 1" == record.missing


def test_a_measurement_that_fails_says_why(backends: Backends) -> None:
    nobody = replace(registry.find("memory", "floor"), name="nobody")
    record = Record(contender=nobody)

    rounds.measure(record, 1, backends)

    assert "ValueError: nobody called 'nobody' does the job 'memory'" == record.failure


@pytest.mark.parametrize("one", registry.CONTENDERS, ids=lambda one: f"{one.job.name}-{one.name}")
def test_a_contender_is_of_a_job_that_is_listed_and_of_an_environment_with_pins(
    one: Contender,
) -> None:
    assert one.job in registry.JOBS
    assert one.environment in (None, environments.OURS, *environments.names())


async def test_a_contender_that_does_another_job_is_found_out() -> None:
    async with adding(Setting(), number=4) as run:
        with pytest.raises(WrongResult, match="workflow of 0 returned 4 instead of 3"):
            await cost(run, Setting(size=10), in_flight=2, steps=3, result=add_steps)


async def test_a_rate_counts_what_is_done_in_its_time() -> None:
    async with adding(Setting()) as run:
        found = await rate(run, Setting(size=0.01), in_flight=2, result=add_steps)

    assert found[PER_SECOND] > 0


def test_one_of_each_job_is_ours_and_names_are_unique() -> None:
    for job in registry.JOBS:
        names = [one.name for one in registry.contenders(job)]
        assert len(set(names)) == len(names)
        assert 1 == sum(one.ours for one in registry.contenders(job))


def test_an_aim_names_contenders_of_its_job() -> None:
    for job in registry.JOBS:
        names = {one.name for one in registry.contenders(job)}
        for aim in job.aims:
            assert names & {*aim.against} or not aim.against


def test_a_contender_whose_library_is_missing_says_so() -> None:
    @asynccontextmanager
    async def needy(_: Setting) -> AsyncIterator[Run]:
        raise ModuleNotFoundError("No module named 'rival'")
        yield

    found = measure.outcome(replace(contender("rival"), open=needy), Setting())

    assert {"missing": "No module named 'rival'"} == found


def test_the_table_shows_medians_ranges_and_ratios_within_a_round() -> None:
    ours = Record(contender=contender("ours", ours=True), versions={"ours-core": "1.2"})
    ours.samples = [figures(100), figures(200), figures(110)]
    rival = Record(contender=replace(contender("rival"), note="as it comes"))
    rival.samples = [figures(300), figures(400), figures(330)]
    result = Result(job=MEMORY, size=1000, rounds=3, records=[ours, rival])

    table = report.as_markdown(ABOUT, [result])

    assert "| Ours (ours-core 1.2) | 110 (100 to 200) | 1.00 |  |" in table
    assert "| Rival | 330 (300 to 400) | 3.00 (2.00 to 3.00) | as it comes |" in table
    assert "Not measured" not in table


def test_who_was_not_measured_is_reported() -> None:
    ours = Record(contender=contender("ours", ours=True), samples=[figures(100)])
    missing = Record(contender=contender("rival"), missing="No module named 'rival'")
    failed = Record(contender=contender("other"), failure="WrongResult: it returned 4")
    result = Result(job=MEMORY, size=1000, rounds=1, records=[ours, missing, failed])

    table = report.as_markdown(ABOUT, [result])

    assert "Not measured: Rival: No module named 'rival'." in table
    assert "Not measured: Other: WrongResult: it returned 4." in table


@pytest.mark.parametrize(("most", "word"), [(0.5, "met"), (0.4, "**missed**")])
def test_an_aim_is_taken_against_the_best_of_the_others(most: float, word: str) -> None:
    aim = Aim(text="less", figure=PER_WORKFLOW, against=("good", "bad"), at_most=most)
    job = replace(MEMORY, aims=(aim,))
    records = [
        Record(contender=contender("ours", job=job, ours=True), samples=[figures(100)]),
        Record(contender=contender("bad", job=job), samples=[figures(900)]),
        Record(contender=contender("good", job=job), samples=[figures(200)]),
    ]

    table = report.as_markdown(ABOUT, [Result(job=job, size=1, rounds=1, records=records)])

    assert f"- Aim: {PER_WORKFLOW} less: 0.50 times Good, {word}." in table


def test_an_aim_at_nobody_who_was_measured_is_not_met_nor_missed() -> None:
    aim = Aim(text="less", figure=PER_WORKFLOW, against=("rival",), at_most=1)
    job = replace(MEMORY, aims=(aim,))
    ours = Record(contender=contender("ours", job=job, ours=True), samples=[figures(100)])

    (verdict,) = aims.verdicts(job, [ours])

    assert verdict.is_met is None


def test_the_json_holds_every_sample() -> None:
    ours = Record(contender=contender("ours", ours=True), samples=[figures(100), figures(120)])
    result = Result(job=MEMORY, size=1000, rounds=2, records=[ours])

    written = json.loads(json.dumps(report.as_json(ABOUT, [result])))

    (told,) = written["jobs"][0]["contenders"]
    assert "python3 scripts/run.py rivals:bench" == written["command"]
    assert [100, 120] == told["figures"][PER_WORKFLOW]["rounds"]
    assert 110 == told["figures"][PER_WORKFLOW]["median"]


def test_a_benchmark_of_no_rounds_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--rounds", "0"])

    assert "--rounds is 1 or more" in capsys.readouterr().err
