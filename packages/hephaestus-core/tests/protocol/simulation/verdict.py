"""What has to be true when all is over."""

from collections import Counter
from collections.abc import Iterator

from hephaestus.instance import Entry
from hephaestus.memory import MemoryStorage
from hephaestus.message import EventPosted, Message
from hephaestus.storage import Snapshot
from protocol.simulation.records import Run
from protocol.simulation.workflows import Flaky, budget_is_kept, is_right


async def complaints(run_id: str, run: Run, truth: MemoryStorage) -> list[str]:
    """Return what is wrong with a run that nothing will happen to any more."""
    snapshot = await truth.load(run_id)
    entries = await truth.entries(run_id)
    found = (
        *_about_its_end(run, snapshot),
        *_about_what_it_leaves(run, snapshot),
        *_about_its_history(run, entries),
        *_about_its_events(run, entries),
    )
    return [f"{run_id}: {complaint}" for complaint in found]


def _about_its_end(run: Run, snapshot: Snapshot) -> Iterator[str]:
    instance = run.instance
    if snapshot.instance.revision != instance.revision:
        yield f"revision {instance.revision} was acknowledged and is not stored"
    if instance.status == "completed" and not is_right(instance):
        yield f"it completed with {instance.context.steps}"
    if not instance.is_finished and not run.waits_for_outside():
        yield f"it is stuck: {instance.status} with {sorted(instance.active)}"
    if run.bodies and any(body.process.alive for body in run.bodies):
        yield "a body of it is still executed"


def _about_what_it_leaves(run: Run, snapshot: Snapshot) -> Iterator[str]:
    instance = run.instance
    if instance.is_finished and snapshot.leases:
        yield f"its leases outlive it: {snapshot.leases}"
    stored = {message.id for message in snapshot.inbox}
    if stored != {message.id for message in run.inbox()}:
        yield "its inbox is not what was posted and not consumed"
    if instance.status in ("completed", "cancelled"):
        for message in snapshot.inbox:
            if not _may_be_left(run, message):
                yield f"it has ended, and nobody took {message.body} out of its inbox"


def _may_be_left(run: Run, message: Message) -> bool:
    """Return whether the poster could not, or would not, advance the run that had ended."""
    process, turn = run.posters[message.id]
    return message.id in run.unhinted or process.closing or not process.is_calm_since(turn)


def _about_its_history(run: Run, entries: list[Entry]) -> Iterator[str]:
    completed = Counter(e.step for e in entries if e.action == "completed")
    ended = Counter(k for k, s in run.instance.finished.items() if s.event is not None)
    if completed != ended:
        yield f"completed entries {dict(completed)} for ended steps {dict(ended)}"
    if len({entry.id for entry in entries}) != len(entries):
        yield "two entries of its history have one id"
    actions = [str(entry.action) for entry in entries if entry.step == "flaky"]
    if run.instance.workflow == Flaky.name and not budget_is_kept(actions):
        yield f"its step failed too often: {actions}"


def _tells_of_an_event(entry: Entry) -> bool:
    """Return whether an event was taken or dropped; a dropped outcome has an attempt."""
    return entry.action == "resumed" or (entry.action == "dropped" and entry.attempt is None)


def _about_its_events(run: Run, entries: list[Entry]) -> Iterator[str]:
    told = Counter(
        str(entry.output["letter"])
        for entry in entries
        if entry.output and "letter" in entry.output and _tells_of_an_event(entry)
    )
    consumed = Counter(
        str(message.body.payload["letter"])
        for message in run.posted.values()
        if isinstance(message.body, EventPosted) and "letter" in message.body.payload
        and run.gone.get(message.id) == "consumed"
    )  # fmt: skip
    if told != consumed:
        yield f"events consumed {dict(consumed)}, events told {dict(told)}"
