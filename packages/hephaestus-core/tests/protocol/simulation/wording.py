"""How the trace words what crosses the storage; spelled out only if somebody reads it."""

from collections.abc import Iterable
from datetime import datetime

from hephaestus.message import CancelRequested, EventPosted, Message, StepEnded
from hephaestus.storage import Change, Snapshot


class Told:
    """A message."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def __str__(self) -> str:
        match self._message.body:
            case StepEnded(step=step, attempt=attempt):
                return f"outcome {step}:{attempt}"
            case EventPosted(step=step, event=event):
                return f"event {step}:{event}"
            case CancelRequested():
                return "cancel"


class Written:
    """A change."""

    def __init__(self, change: Change) -> None:
        self._change = change

    def __str__(self) -> str:
        change, instance = self._change, self._change.instance
        steps = _list(f"{k}:{step.state}:{step.attempt}" for k, step in instance.active.items())
        entries = _list(f"{e.action} {e.step}:{e.attempt}" for e in change.entries)
        leases = _list(f"{lease.step}:{lease.attempt}" for lease in change.granted)
        return (
            f"{instance.run_id} r{instance.revision} {instance.status} {steps} entries {entries} "
            f"consumed {len(change.consumed)} kept {len(change.kept)} "
            f"ended {_list(f'{step}:{attempt}' for step, attempt in change.ended)} "
            f"leased {leases} wakes {_clock(change.wake_at)}"
        )


class Read:
    """A snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def __str__(self) -> str:
        snapshot, instance = self._snapshot, self._snapshot.instance
        leases = _list(
            f"{one.step}:{one.attempt} {'released' if one.released else _clock(one.until)}"
            for one in snapshot.leases
        )
        inbox = _list(str(Told(message)) for message in snapshot.inbox)
        return f"{instance.run_id} r{instance.revision} inbox {inbox} leases {leases}"


def _list(words: Iterable[str]) -> str:
    return f"({', '.join(words)})"


def _clock(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%H:%M:%S.%f}"[:-3]
