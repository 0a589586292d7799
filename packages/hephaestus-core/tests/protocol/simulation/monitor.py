"""Sees every verb take effect, and tells when a promise is broken."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from hephaestus.instance import Instance
from hephaestus.message import EventPosted, Message, StepEnded
from hephaestus.storage import Change, Lease, Owner, Snapshot
from protocol.simulation.records import Run
from protocol.simulation.rules import NEXT_ATTEMPT, broken_rule, outcomes_in
from protocol.simulation.tenancy import Tenancy
from protocol.simulation.wording import Read, Told, Written
from protocol.simulation.world import Process, World


class Monitor:
    """Keeps its own account of all runs, from what the storage acknowledged."""

    def __init__(self, world: World) -> None:
        self.runs: dict[str, Run] = {}
        self.tenancy = Tenancy(world, self.runs)
        self._world = world
        self._verbs: dict[str, Callable[..., None]] = {
            "create": self._created,
            "commit": self._committed,
            "post": self._posted,
            "withdraw": self._withdrawn,
            "load": self._loaded,
            "due": self._found_due,
            "claim": self._claimed,
            "renew": self._renewed,
            "release": self._released,
            "adopt": self._adopted,
            "delete": self._deleted,
        }

    def saw(self, process: Process, verb: str, args: tuple[Any, ...], result: Any) -> None:
        """Take note of a verb that took effect."""
        if verb in self._verbs:
            self._verbs[verb](process, result, *args)

    def is_settled(self) -> bool:
        """Return whether no run can go on without something from outside."""
        return all(run.waits_for_outside() for run in self.runs.values())

    def _created(self, process: Process, result: None, change: Change) -> None:
        instance = change.instance
        if instance.run_id in self.runs:
            self._world.fail(f"run {instance.run_id} is created twice")
        self._check_key(instance)
        run = self.runs[instance.run_id] = Run(instance, change.token)
        self._took(process, run, change, "create")

    def _committed(self, process: Process, result: None, change: Change) -> None:
        run, after = self.runs[change.instance.run_id], change.instance
        if after.revision == run.instance.revision:
            self._world.note(process, "commit again", after.run_id)
            if change.token != run.token:
                self._world.fail(
                    f"revision {after.revision} of {after.run_id} is acknowledged to two writers"
                )
            return
        wrong = broken_rule(run, change, process)
        if wrong is not None:
            self._world.fail(f"{after.run_id}: {wrong}")
        if run.instance.is_finished and not after.is_finished:
            self._check_key(after)
        self._took(process, run, change, "commit")

    def _check_key(self, instance: Instance) -> None:
        for run in self.runs.values():
            other = run.instance
            same = other.unique_key == instance.unique_key and other.run_id != instance.run_id
            if same and not other.is_finished and not run.deleted:
                self._world.fail(f"{other.run_id} and {instance.run_id} hold one key")

    def _took(self, process: Process, run: Run, change: Change, verb: str) -> None:
        self._world.note(process, verb, Written(change))
        run.instance, run.token = change.instance, change.token
        run.taken.update(outcomes_in(change))
        if run.instance.is_finished:
            run.ended = self._world.turn
        for entry in change.entries:
            if entry.step is not None and entry.action == "completed":
                run.completed.add(entry.step)
            if entry.step is not None and entry.action in NEXT_ATTEMPT:
                run.causes[entry.step] = entry.action
        run.seen.update(change.kept)
        run.gone.update(dict.fromkeys(change.consumed, "consumed"))
        self.tenancy.end(run, change.ended)
        # What is posted between load and commit cannot be known to the writer.
        known = run.loaded.get((process, change.instance.revision - 1), set())
        for lease in change.granted:
            self.tenancy.acquire(process, run, lease, known)

    def _posted(self, process: Process, accepted: bool, message: Message) -> None:
        self._world.note(process, "post", Told(message), "accepted" if accepted else "known")
        if not accepted:
            return
        run, body = self.runs[message.run_id], message.body
        if any(message.dedup_key == other.dedup_key for other in run.posted.values()):
            self._world.fail(f"{message.run_id} takes two messages of one dedup_key")
        if isinstance(body, StepEnded) and (body.step, body.attempt) in run.taken:
            tenures = run.tenures[body.step, body.attempt]
            if len(tenures) == 1 and process.is_calm_since(tenures[0].since):
                self._world.fail(f"the outcome {Told(message)} is posted, and was taken before")
        if isinstance(body, EventPosted) and not (process.hints and message.not_before is None):
            run.unhinted.add(message.id)
        run.posted[message.id] = message
        run.posters[message.id] = (process, self._world.turn)

    def _withdrawn(self, process: Process, done: bool, message_id: str) -> None:
        self._world.note(process, "withdraw", done)
        for run in self.runs.values():
            if done and message_id in run.posted:
                run.gone[message_id] = "withdrawn"
                revision = run.instance.revision + 1
                run.instance = msgspec.structs.replace(run.instance, revision=revision)

    def _loaded(self, process: Process, snapshot: Snapshot, run_id: str) -> None:
        self._world.note(process, "load", Read(snapshot))
        inbox = {message.id for message in snapshot.inbox}
        place = (process, snapshot.instance.revision)
        seen = self.runs[run_id].loaded.setdefault(place, inbox)
        seen &= inbox

    def _found_due(self, process: Process, found: list[str], *asked: object) -> None:
        if found:
            self._world.note(process, "due", *found)

    def _claimed(
        self, process: Process, claimed: Instance | None, lease: Lease, now: datetime
    ) -> None:
        self._world.note(process, "claim", *lease.key, "->", claimed is not None)
        if claimed is not None:
            run = self.runs[lease.run_id]
            self.tenancy.acquire(process, run, lease, set(run.posted))

    def _renewed(
        self,
        process: Process,
        lost: list[Lease],
        leases: list[Lease],
        until: datetime,
        now: datetime,
    ) -> None:
        self.tenancy.renew(process, leases, until, now)
        if lost:
            self._world.note(process, "lost", *(lease.step for lease in lost))

    def _released(self, process: Process, result: None, leases: list[Lease], now: datetime) -> None:
        self.tenancy.release(process, leases, now)

    def _adopted(self, process: Process, count: int, owner: Owner, now: datetime) -> None:
        self.tenancy.adopt(process, owner, now)

    def _deleted(self, process: Process, done: bool, run_id: str) -> None:
        self._world.note(process, "delete", run_id, "->", done)
        run = self.runs[run_id]
        run.deleted = True
        self.tenancy.end(run, list(run.tenures))
