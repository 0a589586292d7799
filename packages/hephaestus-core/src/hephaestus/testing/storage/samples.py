"""Runs, changes, messages, leases and entries for the clauses of the storage contract."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hephaestus.context import Context
from hephaestus.instance import ActiveStep, Entry, Instance, Status
from hephaestus.key import new_run_id
from hephaestus.message import Body, EventPosted, Message, StepEnded
from hephaestus.outcome import Completed
from hephaestus.storage import Change, Lease, Owner, Storage

NOW = datetime(2026, 7, 1, 12, 30, 15, 123456, tzinfo=UTC)
"""The time of every clause that does not say another one."""

SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)
"""The shortest time there is."""

LEASE = timedelta(seconds=15)
HAND_OVER = timedelta(seconds=10)

ORDERS = "shop.Orders"
KNOWN = frozenset({(ORDERS, 1)})
"""The workflows and versions that the caller of `due` knows."""

ALICE = Owner(incarnation="alice-1", name="alice")
ALICE_AGAIN = Owner(incarnation="alice-2", name="alice")
BOB = Owner(incarnation="bob-1", name="bob")
NAMELESS = Owner(incarnation="nameless-1")


def new_run(
    id: str = "orderid::1", *, initial: dict[str, Any] | None = None, **fields: Any
) -> Instance:
    """Return a run at its first revision; its step `charge` is ready, at its first attempt."""
    given: dict[str, Any] = {
        "workflow": ORDERS,
        "status": "running",
        "active": {"charge": ActiveStep(since=NOW, deadline=NOW)},
        "created_at": NOW,
        "updated_at": NOW,
        "revision": 1,
        "context": Context(initial=initial or {}),
    }
    return Instance(id=id, **(given | fields))


def finished_run(
    id: str = "orderid::1",
    *,
    status: Status = "completed",
    at: datetime = NOW,
    **fields: Any,
) -> Instance:
    """Return a run that ended."""
    return new_run(id, status=status, active={}, finished_at=at, **fields)


def moved(instance: Instance, **fields: Any) -> Instance:
    """Return the run at its next revision, with some fields changed."""
    return msgspec.structs.replace(instance, revision=instance.revision + 1, **fields)


def ended(instance: Instance, status: Status = "completed", *, at: datetime = NOW) -> Instance:
    """Return the run at its next revision, where it has ended."""
    return moved(instance, status=status, active={}, finished_at=at)


def with_results(instance: Instance, **results: dict[str, Any]) -> Instance:
    """Return the run at its next revision, with the results of more steps."""
    steps = {**instance.context.steps, **results}
    return moved(instance, context=Context(initial=instance.context.initial, steps=steps))


def change(instance: Instance, **parts: Any) -> Change:
    """Return the change that writes a run, under a token of its own."""
    return Change(instance=instance, token=parts.pop("token", secrets.token_hex(8)), **parts)


async def store(storage: Storage, instance: Instance, **parts: Any) -> Instance:
    """Create a run, and return it."""
    await storage.create(change(instance, **parts))
    return instance


async def commit(storage: Storage, instance: Instance, **parts: Any) -> Instance:
    """Commit a run, and return it."""
    await storage.commit(change(instance, **parts))
    return instance


async def due(
    storage: Storage,
    now: datetime = NOW,
    *,
    limit: int = 100,
    workflows: frozenset[tuple[str, int]] = KNOWN,
    hand_over: timedelta = HAND_OVER,
) -> list[str]:
    """Ask for the runs that are due."""
    return await storage.due(now, limit, workflows, hand_over=hand_over)


def message(instance: Instance, body: Body, **fields: Any) -> Message:
    """Return a message to a run; its id is random and its dedup key that id."""
    made = secrets.token_hex(16)
    given = {"id": made, "run_id": instance.run_id, "dedup_key": fields.get("id", made)}
    return Message(body=body, **(given | fields))


def event(instance: Instance, name: str = "paid", **fields: Any) -> Message:
    """Return a message that carries an event for the step `charge`."""
    payload = fields.pop("payload", {})
    return message(instance, EventPosted(step="charge", event=name, payload=payload), **fields)


def outcome(instance: Instance, *, step: str = "charge", attempt: int = 1) -> Message:
    """Return a message that carries what an attempt of a step came to."""
    body = StepEnded(step=step, attempt=attempt, outcome=Completed(event="done"), duration=0.25)
    return message(instance, body)


def lease(
    instance: Instance,
    owner: Owner = ALICE,
    *,
    step: str = "charge",
    attempt: int = 1,
    until: datetime = NOW + LEASE,
) -> Lease:
    """Return a lease of a step."""
    return Lease(run_id=instance.run_id, step=step, attempt=attempt, owner=owner, until=until)


def entry(run_id: str, **fields: Any) -> Entry:
    """Return an entry of a history; its id is random."""
    given: dict[str, Any] = {
        "id": f"{run_id}/{secrets.token_hex(4)}",
        "step": "charge",
        "action": "completed",
        "timestamp": NOW,
    }
    return Entry(run_id=run_id, **(given | fields))


def run_ids(*instances: Instance) -> list[str]:
    """Return the run ids of these runs."""
    return [instance.run_id for instance in instances]


def some_run_id() -> str:
    """Return the id of a run that is stored nowhere."""
    return new_run_id()
