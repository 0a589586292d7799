"""`prune` and `migrate`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hephaestus import Hephaestus, Instance, MemoryStorage
from hephaestus.cli import upkeep

Command = Callable[..., Any]


class Migrated(MemoryStorage):
    """A storage that notes the versions to which it is brought."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int | None] = []

    async def migrate(self, version: int | None = None) -> None:
        self.asked.append(version)


@pytest.fixture
def storage(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Migrated:
    """Return the shop's storage, which has a schema."""
    storage = Migrated()
    monkeypatch.setattr(shop.app, "storage", storage)
    return storage


def test_runs_that_ended_long_ago_are_deleted_in_batches(
    command: Command, shop: Any, work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_BATCH", 2)
    now = datetime.now(UTC)

    async def lay(app: Hephaestus) -> None:
        for number, status in enumerate(["completed"] * 5 + ["failed", "waiting"]):
            await app.storage.put(
                Instance(
                    id=f"old::{number}",
                    workflow="shop.Gone",
                    status=status,  # type: ignore[arg-type]  # each is one
                    finished_at=None if status == "waiting" else now - timedelta(days=8),
                )
            )

    work(lay)

    assert "0 runs deleted\n" == command("prune --older-than 2w").out
    assert {"pruned": 1} == command("prune --older-than 7d --status failed --json").document
    assert "5 runs deleted\n" == command("prune --older-than 7d").out
    assert ["waiting"] == [each["status"] for each in command("list --json").document]


def test_prune_says_that_failed_runs_are_among_what_it_deletes(command: Command) -> None:
    said = command("prune --help")

    assert (0, True) == (said.status, "Failed runs are among them" in said.out)


def test_a_schema_is_brought_to_the_latest_version_or_to_one(
    command: Command, storage: Migrated
) -> None:
    assert (0, "the schema of Migrated is at the latest version\n") == command("migrate")[:2]
    assert {"storage": "Migrated", "migrated": True, "to": 3} == command(
        "migrate --to 3 --json"
    ).document
    assert [None, 3] == storage.asked


def test_dropping_everything_needs_a_yes(
    command: Command, storage: Migrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.confirm", refused := Refused())

    assert 1 == command("migrate --to 0").status
    assert (True, []) == (refused.asked, storage.asked)
    assert 0 == command("migrate --to 0 --yes").status
    assert [0] == storage.asked


class Refused:
    """Whoever is asked says no."""

    asked = False

    def __call__(self, question: str, *, abort: bool, err: bool) -> None:
        import click

        self.asked = True
        raise click.Abort


def test_a_storage_without_a_schema_has_nothing_to_migrate(command: Command, shop: Any) -> None:
    assert (0, "MemoryStorage has no schema\n") == command("migrate")[:2]
