"""What users put in comes out: every type of data, in every place that holds some."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from hephaestus.context import Context
from hephaestus.instance import ActiveStep, FinishedStep, Instance, StepError
from hephaestus.message import Body, CancelRequested, EventPosted, StepEnded
from hephaestus.outcome import Completed, Failed, Halt, Outcome, Suspend
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    NOW,
    change,
    commit,
    entry,
    message,
    moved,
    new_run,
    some_run_id,
    store,
)

INDIA = timezone(timedelta(hours=5, minutes=30))

VALUES: dict[str, object] = {
    "none": None,
    "booleans": [True, False],
    "integers": [0, 1, -1, 2**31, 2**53 + 1, -(2**63) - 1, 2**64, 10**100],
    "floats": [0.1, 1.0, -2.5, 1e16, 1e22, 1e300, 5e-324, 2.0**53, 1.7976931348623157e308],
    "negative zero": -0.0,
    "texts": ["", " ", "naïve", "日本語", "🦀", "\\ \" ' / \t\n\x01\x7f\u2028", "a" * 10_000],
    "lists": [[], [[]], [1, [2, [3]]], [None]],
    "mappings": {"": {}, "a": {"b": {"c": [{}]}}, "with space": 1, "ключ": 2},
    "mappings that look like tags": [{"$": ["date", "2026-01-02"]}, {"$": 1}, {"$$": {"$": []}}],
    "an aware datetime": datetime(2026, 7, 1, 12, 30, 15, 123456, tzinfo=UTC),
    "a datetime of another zone": datetime(2026, 7, 1, 12, 30, tzinfo=INDIA),
    "a naive datetime": datetime(2026, 7, 1, 12, 30, 15, 1),  # noqa: DTZ001  # it stays naive
    "dates": [date(1, 1, 1), date(2026, 7, 1), date(9999, 12, 31)],
    "times": [time(0), time(23, 59, 59, 999999), time(12, tzinfo=UTC)],
    "timedeltas": [timedelta(0), timedelta(microseconds=-1), timedelta.max, timedelta.min],
    "uuids": [UUID(int=0), UUID("01980000-0000-7000-8000-000000000001")],
    "decimals": [Decimal("1.50"), Decimal("-0"), Decimal("1E+400"), Decimal("0.1") ** 30],
    "bytes": [b"", b"\x00\xff", bytes(range(256))],
    "tuples": [(), (1,), ((1, [2]), {"a": (3,)})],
    "sets": [set(), {1, 2}, {"a", None, 2.5}],
    "frozensets": [frozenset(), frozenset({(1, frozenset({2}))})],
    "nested sets": {frozenset({frozenset({1}), frozenset()}), (date(2026, 7, 1), b"x")},
}
EVERYTHING: dict[str, Any] = dict(VALUES)

OUTCOMES: dict[str, Outcome] = {
    "completed": Completed(event="done", data=EVERYTHING, metadata=EVERYTHING),
    "with routes": Completed(event="done", routes={"a": None, "b": {}, "c": EVERYTHING}),
    "without routes": Completed(event="done", routes={}),
    "suspended for a time": Suspend(timeout=timedelta(days=3, microseconds=1)),
    "suspended": Suspend(),
    "halted with a question": Halt(EVERYTHING, prompt="Is it paid?", resume_to="done"),
    "halted": Halt(),
    "failed": Failed(type="ValueError", message="no\nmoney 💸", fatal=True),
}
BODIES: dict[str, Body] = {
    "an event": EventPosted(step="charge", event="paid", payload=EVERYTHING),
    "an event without data": EventPosted(step="charge", event="paid"),
    "a cancel": CancelRequested(),
    **{
        name: StepEnded(step="charge", attempt=7, outcome=outcome, duration=1.5)
        for name, outcome in OUTCOMES.items()
    },
}


class Values:
    """Clauses about the types of data, and about all that an instance holds."""

    @pytest.mark.parametrize("name", VALUES)
    async def test_initial_data_come_back_in_value_and_type(
        self, storage: Storage, name: str
    ) -> None:
        initial = {"value": VALUES[name]}

        run = await store(storage, new_run(initial=initial))

        found = await storage.get(run.run_id)
        assert exactly(found.context.initial) == exactly(initial)

    async def test_results_come_back_in_value_and_type(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        context = Context(steps={"charge": EVERYTHING, "pack": {}})

        await commit(storage, moved(run, context=context), results=("charge", "pack"))

        found = await storage.get(run.run_id)
        assert exactly(found.context.steps) == exactly(context.steps)

    async def test_a_run_with_everything_comes_back_as_it_was_created(
        self, storage: Storage
    ) -> None:
        run = _full_run()

        await store(storage, run, results=tuple(run.context.steps))

        assert _fields(await storage.get(run.run_id)) == _fields(run)

    async def test_a_run_with_everything_comes_back_as_it_was_put(self, storage: Storage) -> None:
        run = _full_run()

        await storage.put(run)

        assert _fields(await storage.get(run.run_id)) == _fields(moved(run))

    async def test_a_run_with_everything_comes_back_as_it_was_committed(
        self, storage: Storage
    ) -> None:
        full = _full_run()
        run = msgspec.structs.replace(
            full, active={}, finished={}, stopped={}, runtime_metadata={}, telemetry_metadata={}
        )
        await store(storage, msgspec.structs.replace(run, context=Context(initial=EVERYTHING)))
        after = moved(full)

        await storage.commit(change(after, results=tuple(full.context.steps)))

        assert _fields(await storage.get(run.run_id)) == _fields(after)

    async def test_a_run_with_everything_comes_the_same_from_every_verb(
        self, storage: Storage
    ) -> None:
        run = _full_run()
        await store(storage, run, results=tuple(run.context.steps))

        found = await storage.get(run.run_id)

        assert _fields((await storage.query())[0]) == _fields(found)
        assert _fields((await storage.load(run.run_id)).instance) == _fields(found)

    async def test_an_integer_that_python_refuses_as_text_comes_back(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run(initial={"number": 7**6000}))

        found = await storage.get(run.run_id)

        assert found.context.initial["number"] - 7**6000 == 0

    @pytest.mark.parametrize("name", BODIES)
    async def test_a_message_comes_back_with_its_body(self, storage: Storage, name: str) -> None:
        run = await store(storage, new_run())
        body = BODIES[name]

        await storage.post(message(run, body))

        (found,) = (await storage.load(run.run_id)).inbox
        assert exactly(found.body) == exactly(body)

    async def test_an_entry_comes_back_with_its_data(self, storage: Storage) -> None:
        full = entry(some_run_id(), input=EVERYTHING, output={"value": EVERYTHING})

        await storage.record(full)

        (found,) = await storage.entries(full.run_id)
        assert exactly(found) == exactly(full)

    async def test_times_come_back_aware_and_to_the_microsecond(self, storage: Storage) -> None:
        run = new_run(created_at=NOW.astimezone(INDIA))

        await store(storage, run)

        created_at = (await storage.get(run.run_id)).created_at
        assert (created_at, created_at.tzinfo is not None) == (NOW, True)

    async def test_an_id_comes_back_character_by_character(self, storage: Storage) -> None:
        id = "Order id::Ünï/%_'\"\\ 日本 🦀"

        run = await store(storage, new_run(id, workflow="shop.Örders", tags=("größe 'x'",)))

        assert await storage.get(id) == run


def exactly(value: Any) -> object:
    """Say `value` so that only what has the same types throughout is equal to it."""
    match value:
        case dict():
            return dict, {key: exactly(item) for key, item in value.items()}
        case list() | tuple():
            return type(value), tuple(exactly(item) for item in value)
        case set() | frozenset():
            return type(value), frozenset(exactly(item) for item in value)
        case datetime() | time():
            return type(value), value.replace(tzinfo=None), value.utcoffset()
        case Decimal():
            return Decimal, str(value)
        case msgspec.Struct():
            return type(value), exactly(msgspec.structs.asdict(value))
    return type(value), value


def _fields(run: Instance) -> dict[str, object]:
    """Return the fields of a run, told apart by type; its own times are the same in any zone."""
    plain = msgspec.structs.asdict(run)
    times = {name: plain.pop(name) for name in ("created_at", "updated_at", "finished_at")}
    steps = {name: plain.pop(name) for name in ("active", "stopped")}
    data = {
        name: {
            key: (exactly(step.config), exactly(step.answer), exactly(step.halt))
            for key, step in by_key.items()
        }
        for name, by_key in steps.items()
    }
    return {"plain": exactly(plain), "times": times, "steps": steps, "data": data}


def _full_run() -> Instance:
    """Return a run in which every field holds something."""
    step = ActiveStep(
        state="ready",
        attempt=4,
        deadline=NOW + timedelta(seconds=30),
        dispatches=2,
        failures=1,
        losses=2,
        since=NOW,
        config=EVERYTHING,
        answer=EVERYTHING,
    )
    halted = ActiveStep(state="halted", since=NOW, halt=Halt(EVERYTHING, "Is it paid?", "ask"))
    return new_run(
        initial=EVERYTHING,
        workflow_version=12,
        status="halted",
        context=Context(initial=EVERYTHING, steps={"check": EVERYTHING, "pack": {}}),
        active={"charge": step, "ask": halted, "plain": ActiveStep(since=NOW, config={})},
        finished={
            "check": FinishedStep(
                event="done", routes={"charge": EVERYTHING, "ask": None, "plain": {}}
            ),
            "pack": FinishedStep(event="done", routes={}),
            "skipped": FinishedStep(),
        },
        stopped={"tell": step, "wait": ActiveStep(state="waiting", since=NOW)},
        runtime_metadata=EVERYTHING,
        telemetry_metadata=EVERYTHING,
        tags=("gift", "orders"),
        error=StepError(step="check", type="ValueError", message="no\nmoney 💸", attempt=2),
        updated_at=NOW + timedelta(microseconds=1),
        finished_at=None,
        unique_key="workflow shop.Orders orderid::1",
    )
