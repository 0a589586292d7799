"""One run of a model, with the inbox, leases and clock that storages and runners would keep.

Nothing happens in it but by its moves, and the laws are checked after each of them.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from engine import laws
from engine.models import Model, Node
from engine.oracle import data_of
from engine.runs import NOW, came_to, message, pending
from engine.tape import Tape
from hephaestus.engine import (
    Advanced,
    advance,
    bind,
    dispatch_until,
    hand_out,
    leased_until,
    retry,
    step_context,
    wake_at,
)
from hephaestus.errors import Fatal
from hephaestus.instance import ActiveStep, Instance
from hephaestus.message import Body, CancelRequested, EventPosted, LeaseEnded, Message, StepEnded
from hephaestus.outcome import Completed, Failed, Halt, Outcome, Suspend
from hephaestus.transitions import Choose

LEASE = timedelta(seconds=15)
Place = tuple[str, int]


@dataclass
class Held:
    """A lease, and the body that runs under it."""

    until: datetime
    released: bool = False
    ended: bool = False
    """The body has come to its outcome."""


class Simulation:
    """The state of a run and of all that surrounds it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.workflow = model.workflow
        self.now = NOW
        self.instance = self.written = pending(self.workflow, {"order": 42})
        self.wake_at: datetime | None = NOW
        self.inbox: list[Message] = []
        self.leases: dict[Place, Held] = {}
        self.bodies: dict[Place, Instance] = {}
        """What the bodies under way know, also those that lost their lease."""

        self.interrupted: set[Place] = set()
        """The attempts whose leases a failure ended; after a retry they are anyone's at once."""

        self.outcomes: list[StepEnded] = []
        self.tries: Counter[str] = Counter()
        self.past = laws.Past()

    @property
    def is_due(self) -> bool:
        if self.instance.is_finished:
            return False
        return (
            (self.wake_at is not None and self.wake_at <= self.now)
            or any(self._is_unseen(one) for one in self.inbox)
            or any(held.released or held.until <= self.now for held in self.leases.values())
        )

    @property
    def next_time(self) -> datetime | None:
        """When time alone makes the run due."""
        times = [self.wake_at] if self.wake_at is not None else []
        times += [held.until for held in self.leases.values()]
        times += [one.not_before for one in self.inbox if one.not_before and not one.seen]
        return min(times, default=None)

    @property
    def claimable(self) -> list[str]:
        """The steps that somebody may want to execute, and would be granted a lease for."""
        outcomes = {(b.step, b.attempt) for b in self._bodies_of(StepEnded)}
        return [
            key
            for key, step in self.instance.active.items()
            if step.state == "ready"
            and (step.dispatches or step.deadline is None or step.deadline <= self.now)
            and (key, step.attempt) not in outcomes
            and ((held := self.leases.get((key, step.attempt))) is None or held.released)
        ]

    @property
    def executing(self) -> list[Place]:
        return [p for p, held in self.leases.items() if not (held.released or held.ended)]

    @property
    def strays(self) -> list[Place]:
        """The bodies that go on although their lease is gone."""
        return [place for place in self.bodies if place not in self.executing]

    def lacks_answer(self, key: str) -> bool:
        """Whether no answer is under way to a step that stands still for one."""
        return not any(body.step == key for body in self._bodies_of(EventPosted))

    def post(self, what: Body, *, not_before: datetime | None = None) -> None:
        self.inbox.append(message(what, not_before=not_before))

    def advance(self, leased: int = 0, sent: int = 0) -> None:
        """Load, advance, hand out that many of the ready steps, commit."""
        ended = [
            LeaseEnded(step=key, attempt=attempt, released=held.released)
            for (key, attempt), held in self.leases.items()
            if held.released or held.until <= self.now
        ]
        live = {p: h.until for p, h in self.leases.items() if h.until > self.now}

        def act(instance: Instance) -> Advanced:
            return advance(
                instance,
                self.workflow,
                self.now,
                inbox=self.inbox,
                ended_leases=ended,
                live_leases={key: until for (key, _), until in live.items()},
            )

        self._commit(self._computed(act), self.inbox, live, leased, sent)

    def deliver_alone(self, place: Place) -> None:
        """Commit the outcome of the only active step, as a runner does with an empty inbox."""
        ended = self._end(place)
        self.outcomes.append(ended)
        advanced = self._computed(lambda i: advance(i, self.workflow, self.now, happened=[ended]))
        assert place in advanced.ended
        self._commit(advanced, [], {}, 256, 0)

    def retry(self, leased: int = 0, sent: int = 0) -> None:
        advanced = self._computed(lambda i: retry(i, self.workflow, self.now, inbox=self.inbox))
        under_way = advanced.instance.active.items()
        ready = {(key, step.attempt) for key, step in under_way if step.state == "ready"}
        assert {key for key, _ in self.interrupted & ready} <= set(advanced.ready)
        self._commit(advanced, self.inbox, {}, leased, sent)

    def claim(self, key: str) -> None:
        place = (key, self.instance.active[key].attempt)
        self.leases[place] = Held(self.now + LEASE)
        self.bodies[place] = self.instance

    def execute(self, place: Place) -> None:
        """Let a body end, and post what it came to."""
        ended = self._end(place)
        self.outcomes.append(ended)
        self.post(ended)

    def expire(self, place: Place) -> None:
        self.leases[place].until = self.now

    def release(self, place: Place) -> None:
        self.leases[place].released = True
        self.leases[place].until = self.now
        del self.bodies[place]

    def answer(self, key: str) -> None:
        """Post what the outside says to a step: soon, early or late."""
        step = self.instance.active.get(key)
        node = self.model.nodes[key]
        if step is not None and step.halt is not None and step.halt.resume_to == key:
            self.post(EventPosted(step=key, event=key, payload={"to": key}))
        elif step is not None and node.plan.ending == "halts with default" and step.halt:
            default = bind(self.instance, self.workflow, None, key)
            self.post(msgspec.structs.replace(default, payload={"answers": key}))
        else:
            self.post(EventPosted(step=key, event=node.answer, payload={"answers": key}))

    def stray(self, tape: Tape) -> None:
        """Post an event that nobody planned, which may come much later."""
        node = self.model.nodes[tape.one(list(self.model.nodes))]
        event = tape.one([*node.events, node.answer, node.key, "unheard of"])
        later = tape.one([None, None, self.now, self.now + timedelta(seconds=30)])
        payload = {"stray": len(self.inbox)}
        self.post(EventPosted(step=node.key, event=event, payload=payload), not_before=later)

    def cancel(self) -> None:
        self.post(CancelRequested())

    def pass_time(self, to: datetime) -> None:
        """Move the clock; whoever is to answer in time does it before."""
        for key, step in (self.instance.active | self.instance.stopped).items():
            on_time = step.state != "waiting" or step.deadline is None or step.deadline > to
            if not on_time and self.model.nodes[key].plan.needs_answer and self.lacks_answer(key):
                self.answer(key)
        self.now = max(self.now, to)

    def _computed(self, act: Callable[[Instance], Advanced]) -> Advanced:
        """Return what comes of the run as it was read back, and as it was written."""
        raw = msgspec.json.encode(self.instance)
        read, written = act(self.instance), act(self.written)
        assert raw == msgspec.json.encode(self.instance), "the engine changed what it was given"
        for name in read.__struct_fields__:
            one, other = getattr(read, name), getattr(written, name)
            in_order = name not in ("ready", "ended")
            assert (one == other) if in_order else (sorted(one) == sorted(other)), name
        return read

    def _commit(
        self,
        advanced: Advanced,
        inbox: list[Message],
        live: Mapping[Place, datetime],
        leased: int,
        sent: int,
    ) -> None:
        laws.check(self.model, self.instance, advanced, inbox, live, self.now, self.past)
        lease, send = advanced.ready[:leased], advanced.ready[leased : leased + sent]
        if not (advanced.changed or lease or send):
            laws.check_unchanged(self.instance, advanced, self.wake_at, self.now)
            return
        until = dict.fromkeys(lease, leased_until(self.now + LEASE))
        for key in send:
            until[key] = dispatch_until(advanced.instance.active[key].dispatches, self.now)
        self.written = hand_out(advanced.instance, until)
        self.wake_at = wake_at(self.written, advanced.kept)
        laws.check_wake_at(advanced, self.written, self.wake_at, self.now, until)
        if advanced.instance.status == "failed":
            self.interrupted |= self.leases.keys() & set(advanced.ended)
        for place in (*advanced.ended, *advanced.freed):
            self.leases.pop(place, None)
        self.inbox = _without(self.inbox, advanced)
        self.instance = laws.stored(self.written)
        for key in lease:
            self.claim(key)

    def _end(self, place: Place) -> StepEnded:
        """Return what a body comes to; it goes by its plan, and by what it knew at its start."""
        key, attempt = place
        known = self.bodies.pop(place)
        if place in self.leases:
            self.leases[place].ended = True
        node, record = self.model.nodes[key], known.active[key]
        self.tries[key] += 1
        fails = [one for one in node.plan.hindrances if one != "asks"][self.tries[key] - 1 :]
        if fails:
            fatal = fails[0] == "fails for good"
            return came_to(key, Failed(type="OSError", message="no route", fatal=fatal), attempt)
        if "asks" in node.plan.hindrances and record.answer is None:
            return came_to(key, Halt({"asks": key}, resume_to=key), attempt)
        return came_to(key, self._planned(node, known, record), attempt)

    def _planned(self, node: Node, known: Instance, record: ActiveStep) -> Outcome:
        match node.plan.ending:
            case "returns":
                return self._returned(node, known, record)
            case "suspends":
                return Suspend()
            case "times out":
                return Suspend(20)
            case "halts":
                return Halt({"asks": node.key})
            case "halts with default":
                return Halt({"asks": node.key}, resume_to=node.plan.event)

    def _returned(self, node: Node, known: Instance, record: ActiveStep) -> Outcome:
        ctx = step_context(self.workflow, known, node.key, record)
        assert {key: known.context.steps[key] for key in ctx.steps} == ctx.steps
        data = data_of(node, sorted(ctx.steps), ctx.config)
        data["answer"] = ctx.answer
        metadata = {f"by {node.key}": record.config}
        assert {"order": 42} == ctx.initial
        target = self.workflow.graph.target(node.key, node.plan.event)
        if not isinstance(target, Choose) or record.attempt % 2:
            return Completed(event=node.plan.event, data=data, metadata=metadata)
        own = step_context(self.workflow, known, node.key, record, own=data)
        try:
            routes = target.pick(own)
        except Fatal as error:
            return Failed(type="Fatal", message=str(error), fatal=True)
        return Completed(event=node.plan.event, data=data, metadata=metadata, routes=routes)

    def _is_unseen(self, one: Message) -> bool:
        is_time = one.not_before is None or one.not_before <= self.now
        return not one.seen and is_time

    def _bodies_of(self, kind: type[laws.B]) -> list[laws.B]:
        return [one.body for one in self.inbox if isinstance(one.body, kind)]


def _without(inbox: list[Message], advanced: Advanced) -> list[Message]:
    """Return what a commit leaves in the inbox; what it names as kept is seen from then on."""
    kept = {one.id for one in advanced.kept}
    return [
        msgspec.structs.replace(one, seen=one.seen or one.id in kept)
        for one in inbox
        if one.id not in advanced.consumed
    ]
