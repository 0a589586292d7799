"""The check after the crashes: of every run, of its history, and of what it left behind."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crashes import flows, tables
from crashes.damage import Damage
from crashes.effects import Accepted, Effects
from crashes.executions import Executions, explain
from crashes.setting import Setting
from hephaestus import registry
from hephaestus.instance import Entry, Instance
from hephaestus.storage import Snapshot, Storage

_AT_ONCE = 20
_LATER = datetime(2999, 1, 1, tzinfo=UTC)
"""Whatever has a time to wake is due by then."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found."""

    runs: int
    kills: int
    restarts: int
    lost: list[str]
    """Accepted starts that did not come to their end."""

    twice: list[str]
    """Outcomes that were recorded more often than once."""

    faults: list[str]
    """Whatever else must not be."""

    executions: Executions
    seconds: float = field(default=0.0)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, nothing was taken twice, and all is explained."""
        return not (self.lost or self.twice or self.faults or self.executions.unexplained)


async def examine(storage: Storage, setting: Setting, damage: Damage, seconds: float) -> Verdict:
    """Look at everything that is stored."""
    effects = Effects(setting.folder)
    runs = await storage.query()
    crowd = asyncio.Semaphore(_AT_ONCE)

    async def read(run: Instance) -> tuple[Instance, Snapshot]:
        async with crowd:
            return await storage.get(run.run_id), await storage.load(run.run_id)

    read_runs = await asyncio.gather(*map(read, runs))
    faults = [fault for run, snapshot in read_runs for fault in _faults(run, snapshot)]
    faults += await _asleep(storage, runs)
    if setting.is_transactional:
        faults += await tables.faults(setting)
    histories = {run.run_id: run.execution_history for run, _ in read_runs}
    return Verdict(
        runs=len(runs),
        kills=len(damage.kills),
        restarts=damage.restarts,
        lost=list(_lost(effects.accepted(), {run.run_id: run for run, _ in read_runs})),
        twice=[line for run, _ in read_runs for line in _twice(run)],
        faults=faults,
        executions=explain(effects.notes(), histories, damage),
        seconds=seconds,
    )


def _lost(accepted: Sequence[Accepted], runs: Mapping[str, Instance]) -> Iterator[str]:
    for start in {start.run_id: start for start in accepted}.values():
        if start.run_id not in runs:
            yield f"{start.id} is gone"
    for run in runs.values():
        kind = run.workflow.rpartition(".")[2]
        wanted = {"Cancelled": "cancelled", "Idle": "waiting"}.get(kind, "completed")
        if run.status != wanted:
            yield f"{run.id} is {run.status}: {run.active} {run.error}"


def _twice(run: Instance) -> Iterator[str]:
    """Each step that ended has one entry that says so."""
    ends = Counter(e.step for e in run.execution_history if e.action in ("completed", "skipped"))
    for key in {*ends, *run.finished} - {None}:
        expected = 1 if key in run.finished else 0
        if ends[key] != expected:
            yield f"{run.id}: {key} ended {ends[key]} times"
    outcomes = Counter(
        (e.step, e.attempt, e.action)
        for e in run.execution_history
        if e.action in ("failed", "lost", "suspended", "resumed", "halted")
    )
    yield from (f"{run.id}: {what} {times} times" for what, times in outcomes.items() if times > 1)


def _faults(run: Instance, snapshot: Snapshot) -> Iterator[str]:
    history = run.execution_history
    if snapshot.leases:
        yield f"{run.id} is {run.status} and holds {snapshot.leases}"
    if snapshot.inbox:
        yield f"{run.id} is {run.status} and has not read {snapshot.inbox}"
    if len({entry.id for entry in history}) < len(history):
        yield f"{run.id} has entries of one id"
    yield from _disorder(run, history)
    yield from _wrong_results(run)


def _disorder(run: Instance, history: Sequence[Entry]) -> Iterator[str]:
    """What a step led to ended after it, and dropped events came in their order."""
    flow = registry.find(run.workflow, run.workflow_version)
    ends = {e.step: n for n, e in enumerate(history) if e.action in ("completed", "skipped")}
    for key, place in ends.items():
        for before in flow.graph.predecessors.get(key or "", ()):
            if ends.get(before, place) > place:
                yield f"{run.id}: {key} ended before {before}"
    if flow is flows.Gate:
        events = [e for e in history if e.action == "dropped" and e.event == "opened"]
        dropped = [event.output["number"] for event in events if event.output]
        if dropped != sorted(dropped):
            yield f"{run.id}: events were taken as {dropped}"
    if flow is flows.Timers and run.status == "completed":
        began = {e.step: e.timestamp for e in history if e.action == "suspended"}
        ended = {e.step: e.timestamp for e in history if e.action == "resumed"}
        for key, at in ended.items():
            if key in began and at - began[key] < flows.SHORT - timedelta(milliseconds=1):
                yield f"{run.id}: {key} rang {at - began[key]} after its beginning"


def _wrong_results(run: Instance) -> Iterator[str]:
    """Events have reached the steps that they were for, the first one of each step."""
    if run.status != "completed":
        return
    number, results = run.context.initial["number"], run.context.steps
    wanted = {
        "first": number, "second": number, "third": number, "gate": 1, "ask": number,
        "begin": number,
    }  # fmt: skip
    for key in wanted.keys() & results.keys():
        if results[key].get("number") != wanted[key]:
            yield f"{run.id}: {key} came to {results[key]}"


async def _asleep(storage: Storage, runs: Sequence[Instance]) -> list[str]:
    """Return the unfinished runs that no one will look at, although they do not only wait."""
    soon = timedelta(microseconds=1)
    due = set(await storage.due(_LATER, len(runs) + 1, registry.known(), hand_over=soon))
    return [
        f"{run.id} is {run.status} and nobody will wake it: {run.active}"
        for run in runs
        if run.run_id not in due
        and not run.is_finished
        and any(step.state == "ready" or step.deadline for step in run.active.values())
    ]
