"""What holds for every advance, whatever happened."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec

from engine import oracle
from engine.models import DONE, Model
from hephaestus.codec import Codec
from hephaestus.engine import Advanced, leased_until
from hephaestus.instance import ActiveStep, Instance
from hephaestus.message import CancelRequested, EventPosted, Message, StepEnded

B = TypeVar("B", EventPosted, StepEnded, CancelRequested)
_CODEC = Codec()


@dataclass
class Past:
    """What is remembered of a run from one advance to the next."""

    retired: set[tuple[str, int]] = field(default_factory=set)
    """The attempts that are over."""

    highest: Counter[str] = field(default_factory=Counter)
    """The latest attempt of each step."""

    entries: set[str] = field(default_factory=set)
    ended: Counter[str | None] = field(default_factory=Counter)
    """How often the history says that a step has ended or was skipped."""


def check(
    model: Model,
    before: Instance,
    advanced: Advanced,
    inbox: Sequence[Message],
    live: Mapping[tuple[str, int], datetime],
    now: datetime,
    past: Past,
) -> None:
    """Check one advance, before it is committed.

    Args:
        live: The attempts that somebody is executing, and until when.
    """
    instance = advanced.instance
    assert before.revision + 1 == instance.revision
    assert _unchanging(before) == _unchanging(instance)
    _check_terminal(before, instance)
    _check_status(instance)
    _check_steps(model, before, instance)
    _check_attempts(before, instance, past)
    _check_reasons(model, before, advanced)
    _check_inbox(instance, advanced, inbox, now)
    _check_order(advanced, inbox, now)
    _check_handover(before, advanced, live, now)
    _check_entries(advanced, instance, past)


def check_unchanged(
    before: Instance, advanced: Advanced, wake_at: datetime | None, now: datetime
) -> None:
    """Check an advance that need not be committed: what is stored still says all."""
    if not before.is_finished and not advanced.ready:
        assert wake_at is None or wake_at > now, "it is due again at once, for ever"
    after = advanced.instance
    columns = {"revision": before.revision, "updated_at": before.updated_at}
    assert before == msgspec.structs.replace(after, **columns)
    assert () == advanced.entries
    assert () == advanced.consumed
    assert () == advanced.ended
    assert all(one.seen for one in advanced.kept)


def check_wake_at(
    advanced: Advanced,
    instance: Instance,
    wake_at: datetime | None,
    now: datetime,
    handed: Mapping[str, datetime],
) -> None:
    """Check that the run is looked at in time, and not all the time."""
    if instance.is_finished:
        assert wake_at is None
        return
    times = [step.deadline for step in instance.active.values() if step.deadline]
    times += [m.not_before for m in advanced.kept if m.not_before and m.not_before > now]
    assert min(times, default=None) == wake_at
    for step in instance.active.values():
        assert step.state != "ready" or step.deadline is not None
    if set(advanced.ready) <= handed.keys():
        assert wake_at is None or wake_at > now, "it would be due again at once"


def stored(instance: Instance) -> Instance:
    """Return the run as a storage gives it back, with the keys of objects in another order."""
    state = msgspec.json.decode(_CODEC.dump_state(instance))
    loaded = _CODEC.load_state(msgspec.json.encode(state, order="sorted"))
    steps = {k: _CODEC.load(_CODEC.dump(v)) for k, v in sorted(instance.context.steps.items())}
    context = msgspec.structs.replace(instance.context, steps=steps)
    columns = {
        name: getattr(instance, name) for name in instance.__struct_fields__ if name not in loaded
    }
    read = Instance(**(columns | loaded | {"context": context}))
    assert instance == read
    return read


def _unchanging(instance: Instance) -> tuple[object, ...]:
    return (
        instance.id,
        instance.run_id,
        instance.workflow,
        instance.workflow_version,
        instance.context.initial,
        instance.tags,
        instance.telemetry_metadata,
        instance.created_at,
        instance.unique_key,
    )


def _check_terminal(before: Instance, instance: Instance) -> None:
    if before.status in ("completed", "cancelled"):
        assert msgspec.structs.replace(before, revision=instance.revision) == instance
    if instance.is_finished:
        assert {} == instance.active
        assert instance.finished_at is not None
    else:
        assert instance.active, "nothing will ever happen"
        assert {} == instance.stopped
        assert instance.finished_at is None
        assert instance.error is None
    assert (DONE in instance.finished) == (instance.status == "completed")
    if instance.status == "failed":
        assert instance.error is not None
        assert instance.error.step in instance.stopped
        assert instance.error.step == instance.recover_to


def _check_status(instance: Instance) -> None:
    states = [step.state for step in instance.active.values()]
    if instance.is_finished:
        return
    if "halted" in states:
        assert "halted" == instance.status
    elif "ready" in states:
        assert "running" == instance.status
    else:
        assert "waiting" == instance.status


def _check_steps(model: Model, before: Instance, instance: Instance) -> None:
    """Compare with the oracle: what is under way, what is dead, whose results are there."""
    ended = {k: f.routes for k, f in instance.finished.items() if f.event is not None}
    expected = oracle.standing(model, ended)
    if instance.status != "cancelled":
        assert expected.active == instance.active.keys() | instance.stopped.keys()
    assert expected.skipped == instance.skipped_steps
    assert ended.keys() == instance.context.steps.keys() == instance.completed_steps
    assert before.finished.items() <= instance.finished.items()
    for key, result in before.context.steps.items():
        assert result == instance.context.steps[key]


def _check_attempts(before: Instance, instance: Instance, past: Past) -> None:
    old, new = _under_way(before), _under_way(instance)
    for key, step in new.items():
        assert step.attempt >= past.highest[key]
        past.highest[key] = step.attempt
        if step.state == "ready":
            assert (key, step.attempt) not in past.retired, "an attempt was used twice"
    for key, step in old.items():
        later = new.get(key)
        if later is None or (later.attempt, later.state) != (step.attempt, step.state):
            past.retired.add((key, step.attempt))


def _check_reasons(model: Model, before: Instance, advanced: Advanced) -> None:
    """Check that no step is tried again without a reason, nor ends with a foreign event."""
    reasons: Counter[str | None] = Counter()
    for entry in advanced.entries:
        node = model.nodes.get(entry.step or DONE)
        if entry.action in ("failed", "lost", "retried"):
            reasons[entry.step] += 1
        elif entry.action == "resumed" and node is not None:
            asked = "asks" in node.plan.hindrances and entry.event == node.key
            assert asked or entry.event in (node.answer, *node.events)
            reasons[entry.step] += asked
        elif entry.action == "completed" and node is not None:
            assert entry.event in node.events
    old, new = _under_way(before), _under_way(advanced.instance)
    for key in old.keys() & new.keys():
        assert new[key].attempt - old[key].attempt <= reasons[key]


def _under_way(instance: Instance) -> dict[str, ActiveStep]:
    return instance.active | instance.stopped


def _check_inbox(
    instance: Instance, advanced: Advanced, inbox: Sequence[Message], now: datetime
) -> None:
    kept = [one.id for one in advanced.kept]
    assert (0 if instance.is_finished else len(kept)) == instance.kept
    assert sorted(one.id for one in inbox) == sorted([*advanced.consumed, *kept])
    assert [one.id for one in inbox if one.id in kept] == kept, "the order is the storage's"
    for one in advanced.kept:
        if one.not_before is not None and one.not_before > now and instance.status != "completed":
            continue
        match one.body:
            case EventPosted(step=key):
                assert key not in instance.finished
                assert (
                    instance.status == "failed"
                    or instance.active.get(key) is None
                    or (instance.active[key].state == "ready")
                )
            case StepEnded(step=key, attempt=attempt):
                assert instance.error is not None
                assert key != instance.error.step
                assert (instance.stopped[key].state, instance.stopped[key].attempt) == (
                    "ready", attempt,
                )  # fmt: skip
            case CancelRequested():
                raise AssertionError("a cancel was kept")


def _check_order(advanced: Advanced, inbox: Sequence[Message], now: datetime) -> None:
    """Check that the events for one step were applied as they came."""
    due = [one for one in inbox if one.not_before is None or one.not_before <= now]
    place = {one.id: number for number, one in enumerate(due)}
    steps = {one.id: one.body.step for one in due if isinstance(one.body, EventPosted)}
    last: dict[str, int] = {}
    for one in advanced.consumed:
        if one in steps:
            assert last.get(steps[one], -1) < place[one], "an event overtook an earlier one"
            last[steps[one]] = place[one]


def _check_handover(
    before: Instance,
    advanced: Advanced,
    live: Mapping[tuple[str, int], datetime],
    now: datetime,
) -> None:
    """Check which attempts may begin, and which bodies must stop."""
    ready = {(k, s.attempt): s for k, s in advanced.instance.active.items() if s.state == "ready"}
    for place, step in ready.items():
        assert step.deadline is not None
        assert step.deadline > now or place not in live
    due = {place for place, step in ready.items() if step.deadline and step.deadline <= now}
    assert {key for key, _ in due} == set(advanced.ready)
    running = {(k, s.attempt) for k, s in before.active.items() if s.state == "ready"}
    assert running - ready.keys() == set(advanced.ended)
    beyond = {place: leased_until(until) for place, until in live.items()}
    for place in ready.keys() - running:
        others = [end for (key, _), end in beyond.items() if key == place[0]]
        assert ready[place].deadline not in others, "it waits for a lease of another attempt"
    for place in ready.keys() & running - due:
        old = before.active[place[0]]
        assert ready[place].deadline in (old.deadline, beyond.get(place))


def _check_entries(advanced: Advanced, instance: Instance, past: Past) -> None:
    ids = [entry.id for entry in advanced.entries]
    assert len(set(ids)) == len(ids)
    assert not past.entries & set(ids)
    past.entries |= set(ids)
    ended = [entry.step for entry in advanced.entries if entry.action in ("completed", "skipped")]
    past.ended.update(ended)
    assert past.ended == Counter(instance.finished.keys()), "each step ends exactly once"
