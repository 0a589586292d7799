"""Sees every verb take effect and every body begin, and tells when a promise is broken."""

from collections import Counter
from datetime import datetime
from typing import Any

from hephaestus.instance import Instance
from hephaestus.message import Message, StepEnded
from hephaestus.steps import StepContext
from hephaestus.storage import Change, Lease, Owner, Snapshot
from protocol.simulation.records import Attempt, Body, Run, Tenure
from protocol.simulation.rules import NEXT_ATTEMPT, broken_rule, outcomes_in
from protocol.simulation.world import Process, World

_RENEWAL = 5.0
"""Seconds between two renewals of a lease of 15 s."""

_SOON = 1.0


class Monitor:
    """Keeps its own account of all runs, from what the storage acknowledged."""

    def __init__(self, world: World) -> None:
        self.runs: dict[str, Run] = {}
        self.reasons: Counter[str] = Counter()
        """Why steps were executed again, and how often."""

        self._world = world

    # What the storage did

    def saw(self, process: Process, verb: str, args: tuple[Any, ...], result: Any) -> None:
        """Take note of a verb that took effect."""
        match verb:
            case "create":
                self._created(process, args[0])
            case "commit":
                self._committed(process, args[0])
            case "post":
                self._posted(process, args[0], result)
            case "withdraw":
                self._withdrawn(process, args[0], result)
            case "load":
                self._loaded(process, result)
            case "claim":
                self._claimed(process, args[0], result is not None)
            case "release":
                self._released(process, args[0], args[1])
            case "renew":
                self._renewed(process, *args, len(result))
            case "adopt":
                self._adopted(process, args[0], args[1])
            case "due":
                if result:
                    self._world.note(process, "due", *result)

    def _created(self, process: Process, change: Change) -> None:
        instance = change.instance
        run = self.runs.get(instance.run_id)
        if run is not None:
            if run.token != change.token:
                self._world.fail(f"run {instance.run_id} is created twice")
            return
        self._check_key(instance)
        run = self.runs[instance.run_id] = Run(instance, change.token, change.wake_at)
        self._took(process, run, change, "create")

    def _committed(self, process: Process, change: Change) -> None:
        run = self.runs[change.instance.run_id]
        if change.instance.revision == run.instance.revision:
            if change.token != run.token:
                self._world.fail(
                    f"revision {run.instance.revision} of {run.instance.run_id} "
                    "is acknowledged to two writers"
                )
            self._world.note(process, "commit again", change.instance.run_id)
            return
        wrong = broken_rule(run, change, process)
        if wrong is not None:
            self._world.fail(f"{change.instance.run_id}: {wrong}")
        if run.instance.is_finished and not change.instance.is_finished:
            self._check_key(change.instance)
        self._took(process, run, change, "commit")

    def _check_key(self, instance: Instance) -> None:
        for run in self.runs.values():
            other = run.instance
            same = other.unique_key == instance.unique_key and other.run_id != instance.run_id
            if same and not other.is_finished:
                self._world.fail(f"{other.run_id} and {instance.run_id} hold one key")

    def _took(self, process: Process, run: Run, change: Change, verb: str) -> None:
        instance = change.instance
        self._world.note(process, verb, _Story(change))
        run.instance, run.token, run.wake_at = instance, change.token, change.wake_at
        run.taken.update(outcomes_in(change))
        if instance.is_finished:
            run.ended = self._world.turn
        for entry in change.entries:
            if entry.action == "completed" and entry.step is not None:
                run.completed.add(entry.step)
            if entry.action in NEXT_ATTEMPT and entry.step is not None:
                run.causes[entry.step] = entry.action
        run.gone.update(dict.fromkeys(change.consumed, "consumed"))
        for attempt in change.ended:
            tenure = run.last_tenure(attempt)
            if tenure is not None and tenure.state != "released":
                tenure.state = "ended"
                tenure.ended_at, tenure.ended_turn = self._world.loop.time(), self._world.turn
        for lease in change.granted:
            # What is posted between load and commit cannot be known to the writer.
            known = run.loaded.get((process, instance.revision - 1), set())
            self._acquired(process, run, lease, known)

    def _posted(self, process: Process, message: Message, accepted: bool) -> None:
        run = self.runs[message.run_id]
        self._world.note(process, "post", _kind(message), "accepted" if accepted else "known")
        known = {m.dedup_key for m in run.posted.values()}
        if accepted and message.dedup_key in known:
            self._world.fail(f"{message.run_id} takes two messages of one dedup_key")
        body = message.body
        if accepted and isinstance(body, StepEnded):
            attempt = (body.step, body.attempt)
            tenures = run.tenures[attempt]
            sure = len(tenures) == 1 and process.is_calm_since(tenures[0].since)
            if attempt in run.taken and sure:
                self._world.fail(f"the outcome of {attempt} is posted, and was taken before")
        if accepted:
            run.posted[message.id] = message
            run.posters[message.id] = (process, self._world.turn)

    def _withdrawn(self, process: Process, message_id: str, done: bool) -> None:
        self._world.note(process, "withdraw", done)
        for run in self.runs.values():
            if done and message_id in run.posted:
                run.gone[message_id] = "withdrawn"

    def _loaded(self, process: Process, snapshot: Snapshot) -> None:
        run = self.runs[snapshot.instance.run_id]
        inbox = {message.id for message in snapshot.inbox}
        seen = run.loaded.setdefault((process, snapshot.instance.revision), inbox)
        seen &= inbox
        self._world.note(process, "load", _Loaded(snapshot))

    def _claimed(self, process: Process, lease: Lease, granted: bool) -> None:
        self._world.note(process, "claim", *lease.key, "->", granted)
        if granted:
            run = self.runs[lease.run_id]
            self._acquired(process, run, lease, set(run.posted))

    def _acquired(self, process: Process, run: Run, lease: Lease, known: set[str]) -> None:
        attempt = (lease.step, lease.attempt)
        before = run.last_tenure(attempt)
        if before is not None and before.state == "held":
            self._world.fail(f"{lease.key} is leased to {process.label} and {before.process.label}")
        if run.has_outcome(attempt, known):
            self._world.fail(f"{lease.key} is leased to {process.label}, and has its outcome")
        if run.instance.is_finished:
            self._world.fail(f"{lease.key} is leased to {process.label} after the run's end")
        run.tenures.setdefault(attempt, []).append(
            Tenure(process, lease.owner, lease.until, self._world.turn)
        )

    def _tenure(self, lease: Lease, now: datetime) -> Tenure | None:
        """Return the tenure that the lease stands for, if it still holds."""
        tenure = self.runs[lease.run_id].last_tenure((lease.step, lease.attempt))
        if tenure is None or tenure.owner != lease.owner or tenure.state != "held":
            return None
        return tenure if tenure.until > now else None

    def _renewed(
        self, process: Process, leases: list[Lease], until: datetime, now: datetime, lost: int
    ) -> None:
        self._world.note(process, "renew", *(lease.step for lease in leases), "lost:", lost)
        for lease in leases:
            tenure = self._tenure(lease, now)
            if tenure is not None:
                tenure.until = until

    def _adopted(self, process: Process, owner: Owner, now: datetime) -> None:
        self._world.note(process, "adopt")
        for run in self.runs.values():
            for tenures in run.tenures.values():
                former = tenures[-1]
                same = owner.name is not None and former.owner.name == owner.name
                if same and former.owner != owner and former.until > now:
                    former.until = now
                    former.process.disturb("loses its leases to its next incarnation")

    def _released(self, process: Process, leases: list[Lease], now: datetime) -> None:
        for lease in leases:
            tenure = self._tenure(lease, now)
            if tenure is not None:
                self._world.note(process, "release", *lease.key)
                tenure.state = "released"

    # What bodies do

    def begins(self, process: Process, context: StepContext) -> Body:
        """Take note of a body that begins."""
        run_id, _, step = context.idempotency_key.partition("/")
        run, attempt = self.runs[run_id], (step, context.attempt)
        self._world.note(process, "body", run_id, *attempt, "begins")
        mine = [t for t in run.tenures.get(attempt, ()) if t.process is process and not t.begun]
        if not mine:
            self._world.fail(f"a body of {attempt} begins in {process.label} without a lease")
        elif any(body.attempt == attempt and body.process.alive for body in run.bodies):
            if mine[0].state != "ended" and not self._was_stopped(run, attempt):
                self._world.fail(f"two bodies of {attempt} are executed at once")
        tenure = mine[0] if mine else None
        if tenure is not None:
            tenure.begun = True
        body = Body(process, run_id, attempt, tenure)
        run.bodies.append(body)
        self._explain(run, attempt)
        return body

    def goes_on(self, body: Body) -> None:
        """Take note that a body has not been stopped."""
        tenure = body.tenure
        if tenure is None or tenure.state != "ended":
            return
        late = self._world.loop.time() - tenure.ended_at > _RENEWAL + _SOON
        if late and body.process.is_calm_since(tenure.ended_turn):
            self._world.fail(f"the body of {body.attempt} goes on long after its lease")

    def ends(self, body: Body) -> None:
        """Take note of a body that ended, in whatever way."""
        self._world.note(body.process, "body", body.run_id, *body.attempt, "ends")
        self.runs[body.run_id].bodies.remove(body)

    def _explain(self, run: Run, attempt: Attempt) -> None:
        """Find out why a step is executed again."""
        step, number = attempt
        former = run.begun.get(step)
        run.begun[step] = number
        if former is None:
            return
        cause = run.causes.get(step)
        if former == number:
            tenures = run.tenures[attempt]
            cause = None if len(tenures) < 2 else tenures[-2].state
        if cause is None:
            self._world.fail(f"{attempt} is executed again, and nothing explains it")
        else:
            self.reasons[cause] += 1

    def _was_stopped(self, run: Run, attempt: Attempt) -> bool:
        """Return whether the run failed under an earlier execution of the attempt."""
        return any(tenure.state == "ended" for tenure in run.tenures[attempt][:-1])

    # How the story goes

    def is_settled(self) -> bool:
        """Return whether no run can go on without something from outside."""
        return all(
            run.instance.is_finished or run.waits_for_outside() for run in self.runs.values()
        )


class _Story:
    """A change as the trace shows it; spelled out only if it is read."""

    def __init__(self, change: Change) -> None:
        self._change = change

    def __str__(self) -> str:
        change = self._change
        instance = change.instance
        steps = ", ".join(
            f"{key}:{step.state}:{step.attempt}" for key, step in instance.active.items()
        )
        entries = ", ".join(f"{e.action} {e.step}:{e.attempt}" for e in change.entries)
        leases = ", ".join(f"{lease.step}:{lease.attempt}" for lease in change.granted)
        return (
            f"{instance.run_id} r{instance.revision} {instance.status} [{steps}]"
            f" entries ({entries}) consumed {len(change.consumed)} kept {len(change.kept)}"
            f" ended {list(change.ended)} leased ({leases}) wakes {_clock(change.wake_at)}"
        )


class _Loaded:
    """A snapshot as the trace shows it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def __str__(self) -> str:
        snapshot = self._snapshot
        inbox = ", ".join(_kind(message) for message in snapshot.inbox)
        leases = ", ".join(
            f"{lease.step}:{lease.attempt} "
            f"{'released' if lease.released else 'until'} {_clock(lease.until)}"
            for lease in snapshot.leases
        )
        instance = snapshot.instance
        return f"{instance.run_id} r{instance.revision} inbox ({inbox}) leases ({leases})"


def _kind(message: Message) -> str:
    body = message.body
    if isinstance(body, StepEnded):
        return f"outcome {body.step}:{body.attempt}"
    return f"{type(body).__name__} {getattr(body, 'step', '')} {getattr(body, 'event', '')}"


def _clock(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%H:%M:%S.%f}"[:-3]
