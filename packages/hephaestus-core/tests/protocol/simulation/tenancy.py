"""Who may execute what, who does, and why again."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from hephaestus.steps import StepContext
from hephaestus.storage import Lease, Owner
from protocol.simulation.records import Attempt, Body, Run, Tenure
from protocol.simulation.world import Process, World

_FULL_LENGTH = timedelta(seconds=15)
_STOPPED_WITHIN = 6.0
"""Seconds: a lease of 15 s is renewed every 5 s, and then its loss is noticed."""


class Tenancy:
    """Keeps account of leases and of bodies."""

    def __init__(self, world: World, runs: dict[str, Run]) -> None:
        self.reasons: Counter[str] = Counter()
        """Why steps were executed again, and how often."""

        self._world = world
        self._runs = runs

    # Leases

    def acquire(self, process: Process, run: Run, lease: Lease, known: set[str]) -> None:
        """Take note of a lease that was granted by one who knew these messages."""
        attempt = (lease.step, lease.attempt)
        former = run.last_tenure(attempt)
        if former is not None and former.state == "held":
            self._world.fail(f"{lease.key} is leased to {process.label} and {former.process.label}")
        if run.has_outcome(attempt, known):
            self._world.fail(f"{lease.key} is leased to {process.label}, and has its outcome")
        if run.instance.is_finished:
            self._world.fail(f"{lease.key} is leased to {process.label} after the run's end")
        if lease.until - self._world.clock.now() < _FULL_LENGTH:
            process.disturb("has waited for its lease")
        tenure = Tenure(process, lease, lease.until, self._world.turn)
        run.tenures.setdefault(attempt, []).append(tenure)

    def renew(
        self, process: Process, leases: Sequence[Lease], until: datetime, now: datetime
    ) -> None:
        """Take note of leases that were extended, where they still held."""
        self._world.note(process, "renew", *(lease.step for lease in leases))
        for lease in leases:
            tenure = self._held(lease, now)
            if tenure is not None:
                tenure.until = max(tenure.until, until)

    def release(self, process: Process, leases: Sequence[Lease], now: datetime) -> None:
        """Take note of leases that were given back, where they still held."""
        for lease in leases:
            tenure = self._held(lease, now)
            if tenure is not None:
                self._world.note(process, "release", *lease.key)
                tenure.state = "released"

    def adopt(self, process: Process, owner: Owner, now: datetime) -> None:
        """Take note of a start that ended the leases of its name."""
        self._world.note(process, "adopt")
        for run in self._runs.values():
            for tenures in run.tenures.values():
                former = tenures[-1]
                other = former.lease.owner
                same = owner.name is not None and other.name == owner.name
                if same and other != owner and former.until > now:
                    former.until = now
                    former.process.disturb("loses its leases to its next incarnation")

    def end(self, run: Run, attempts: Sequence[Attempt]) -> None:
        """Take note of leases that a commit ended."""
        for attempt in attempts:
            tenure = run.last_tenure(attempt)
            if tenure is not None and tenure.state != "released":
                tenure.state = "ended"
                tenure.ended_at, tenure.ended_turn = self._world.loop.time(), self._world.turn

    def _held(self, lease: Lease, now: datetime) -> Tenure | None:
        run = self._runs.get(lease.run_id)
        tenure = None if run is None else run.last_tenure((lease.step, lease.attempt))
        if tenure is None or tenure.state != "held" or tenure.until <= now:
            return None
        same = (tenure.lease.owner, tenure.lease.number) == (lease.owner, lease.number)
        return tenure if same else None

    # Bodies

    def begins(self, process: Process, context: StepContext) -> Body:
        """Take note of a body that begins."""
        run_id, _, step = context.idempotency_key.partition("/")
        run, attempt = self._runs[run_id], (step, context.attempt)
        self._world.note(process, "body", run_id, *attempt, "begins")
        tenures = run.tenures.get(attempt, [])
        mine = next((t for t in tenures[::-1] if t.process is process and not t.begun), None)
        if mine is None:
            self._world.fail(f"a body of {attempt} begins in {process.label} without a lease")
        else:
            mine.begun = True
            # Where a run failed and was taken up again, the former body may still be told.
            others = any(body.attempt == attempt and body.process.alive for body in run.bodies)
            if others and not any(tenure.state == "ended" for tenure in tenures):
                self._world.fail(f"two bodies of {attempt} are executed at once")
        body = Body(process, run_id, attempt, mine)
        run.bodies.append(body)
        self._explain(run, attempt)
        return body

    def goes_on(self, body: Body) -> None:
        """Take note that a body has not been stopped."""
        tenure = body.tenure
        if tenure is None or tenure.state != "ended":
            return
        late = self._world.loop.time() - tenure.ended_at > _STOPPED_WITHIN
        if late and body.process.is_calm_since(tenure.ended_turn):
            self._world.fail(f"the body of {body.attempt} goes on long after its lease")

    def ends(self, body: Body) -> None:
        """Take note of a body that ended, in whatever way."""
        self._world.note(body.process, "body", body.run_id, *body.attempt, "ends")
        self._runs[body.run_id].bodies.remove(body)

    def _explain(self, run: Run, attempt: Attempt) -> None:
        """Find out why a step is executed again."""
        step, number = attempt
        former = run.begun.get(step)
        run.begun[step] = number
        if former is None:
            return
        cause = run.causes.get(step)
        if former == number:
            tenures = run.tenures.get(attempt, [])
            cause = tenures[-2].state if len(tenures) > 1 else None
        if cause is None:
            self._world.fail(f"{attempt} is executed again, and nothing explains it")
        else:
            self.reasons[cause] += 1
