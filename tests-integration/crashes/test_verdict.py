"""The check finds what it is there to find."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from crashes import effects, flows
from crashes.damage import Damage
from crashes.effects import Effects
from crashes.setting import Setting
from crashes.verdict import Verdict, examine
from hephaestus import Hephaestus, Instance, LocalRunner, MemoryStorage
from hephaestus.instance import ActiveStep
from hephaestus.message import EventPosted, Message
from hephaestus.storage import Change

PATIENCE = 10


class Site:
    """A storage with one run that went well, and the check."""

    def __init__(self, folder: Path) -> None:
        self.setting = Setting(storage="memory://", space="", folder=str(folder))
        self.storage = MemoryStorage()
        self.effects = Effects(str(folder))
        self.damage = Damage()
        self.run_id = ""

    async def run(self) -> Instance:
        """Return the run."""
        return await self.storage.get(self.run_id)

    async def verdict(self) -> Verdict:
        """Return what the check says."""
        return await examine(self.storage, self.setting, self.damage, 0.0)

    def execute_again(self, *, attempt: int) -> None:
        """Note that the first step was executed a second time."""
        (first, *_) = self.effects.notes()
        again = msgspec.structs.replace(first, attempt=attempt, at=time.time())
        path = Path(self.setting.folder) / "notes.jsonl"
        path.write_bytes(path.read_bytes() + msgspec.json.encode(again) + b"\n")

    async def lose_first(self) -> None:
        """Record that the first attempt of the first step was lost."""
        (first, *_) = (await self.run()).execution_history
        lost = msgspec.structs.replace(first, id="lost", action="lost")
        await self.storage.record(lost)


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    """Return a site that is in order."""
    site = Site(tmp_path)
    effects.settle(site.setting.folder, site.setting.effects)
    async with Hephaestus(site.storage, LocalRunner(poll=0.05)) as app:
        site.run_id = await flows.start(flows.Line, 1)
        await app.wait(site.run_id, PATIENCE)
    return site


async def test_what_went_well_is_clean(site: Site) -> None:
    verdict = await site.verdict()

    assert verdict.is_clean
    assert (1, 0) == (verdict.runs, verdict.executions.second)


async def test_a_start_that_is_gone_is_lost(site: Site) -> None:
    site.effects.accept("Line", "line::2", "gone")

    verdict = await site.verdict()

    assert ["line::2 is gone"] == verdict.lost


async def test_a_run_that_stands_where_nobody_looks_is_lost_and_a_fault(site: Site) -> None:
    now = datetime.now(UTC)
    run = Instance(
        id="line::2",
        workflow=flows.Line.name,
        status="running",
        active={"begin": ActiveStep(since=now)},
        revision=1,
    )
    await site.storage.create(Change(instance=run, token="made"))

    verdict = await site.verdict()

    assert ["line::2 is running"] == [line.partition(":  ")[0][:18] for line in verdict.lost]
    assert ["nobody will wake it"] == [
        "nobody will wake it" for fault in verdict.faults if "nobody will wake it" in fault
    ]


async def test_an_outcome_that_is_recorded_twice_is_found(site: Site) -> None:
    (first, *_) = (await site.run()).execution_history
    await site.storage.record(msgspec.structs.replace(first, id="another"))

    verdict = await site.verdict()

    assert ["line::1: begin ended 2 times"] == verdict.twice


async def test_a_message_that_was_left_behind_is_a_fault(site: Site) -> None:
    body = EventPosted(step="begin", event="done")
    await site.storage.post(Message(id="m", run_id=site.run_id, body=body, dedup_key="m"))

    verdict = await site.verdict()

    assert 1 == len(verdict.faults)
    assert "has not read" in verdict.faults[0]


@pytest.mark.parametrize("attempt", [1, 2])
async def test_a_second_execution_without_a_reason_is_unexplained(site: Site, attempt: int) -> None:
    site.execute_again(attempt=attempt)

    verdict = await site.verdict()

    assert (1, 1) == (verdict.executions.second, len(verdict.executions.unexplained))
    assert not verdict.is_clean


async def test_a_kill_explains_that_an_attempt_was_lost(site: Site) -> None:
    await site.lose_first()
    site.damage.kills[os.getpid()] = time.time()
    site.execute_again(attempt=2)

    verdict = await site.verdict()

    assert (1, 1) == (verdict.executions.second, verdict.executions.killed)
    assert verdict.is_clean


async def test_a_living_process_may_lose_a_lease(site: Site) -> None:
    await site.lose_first()
    site.execute_again(attempt=2)
    site.damage.kills[os.getpid()] = time.time() + 1

    verdict = await site.verdict()

    assert (1, 1) == (verdict.executions.second, verdict.executions.stalled)
    assert verdict.is_clean
