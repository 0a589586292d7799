"""Whether stored runs fit the code that is about to go on with them."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

from hephaestus import inputs, registry
from hephaestus.errors import InvalidArgument, UnknownWorkflow
from hephaestus.instance import Instance, Status
from hephaestus.storage import Storage

UNFINISHED: tuple[Status, ...] = ("pending", "running", "waiting", "halted")
_PAGE = 500
_SHOWN = 10


class Misfit(NamedTuple):
    """What many runs have in common that this code cannot go on with."""

    kind: str
    workflow: str
    version: int
    step: str | None
    reason: str


async def misfits(storage: Storage, statuses: tuple[Status, ...]) -> "Findings":
    """Look at every run in one of these statuses, page by page."""
    findings = Findings()
    async for instance in _runs(storage, statuses):
        findings.add(instance)
    return findings


class Findings:
    """What was found so far, each misfit with the runs that have it."""

    def __init__(self) -> None:
        self.looked_at = 0
        self._found: dict[Misfit, list[str]] = {}

    def add(self, instance: Instance) -> None:
        """Look at a run."""
        self.looked_at += 1
        for misfit in _of(instance):
            self._found.setdefault(misfit, []).append(f"{instance.id} (run {instance.run_id})")

    def documents(self) -> list[dict[str, Any]]:
        """Return each misfit with the number of its runs, and the first of them."""
        return [
            {**misfit._asdict(), "count": len(runs), "runs": runs[:_SHOWN]}
            for misfit, runs in sorted(self._found.items(), key=lambda item: item[0][:3])
        ]


async def _runs(storage: Storage, statuses: tuple[Status, ...]) -> AsyncIterator[Instance]:
    last: dict[str, Any] = {}
    # A page may be short because a damaged row was left out, so only an empty one is the last.
    while page := await storage.query(status_in=statuses, order="oldest", limit=_PAGE, **last):
        for instance in page:
            yield instance
        last = {"after": page[-1].run_id}


def _of(instance: Instance) -> Iterator[Misfit]:
    name, version = instance.workflow, instance.workflow_version
    try:
        workflow = registry.find(name, version)
    except UnknownWorkflow as error:
        yield Misfit("workflow", name, version, None, str(error))
        return
    for key in sorted({*instance.active, *instance.stopped}):
        if key not in workflow.graph.steps:
            reason = f"workflow {name!r} version {version} has no step {key!r}"
            yield Misfit("step", name, version, key, reason)
    if workflow.input is not None:
        try:
            inputs.decoded(workflow.input, instance.context.initial)
        except InvalidArgument as error:
            yield Misfit("input", name, version, None, f"workflow {name!r}: {error}")
