"""The desk: each command is a process of its own in life, and an app of its own here."""

import pytest
from desk import main
from expenses import Expense

from hephaestus.testing import Harness


@pytest.fixture(autouse=True)
def url(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)


async def test_much_money_takes_two_approvals() -> None:
    told = [
        await main("file", "7", "Ada", "800"),
        await main("approve", "7", "Grace"),
        await main("open"),
        await main("approve", "7", "Hedy"),
        await main("open"),
    ]

    assert told == [
        "expenseid::7: manager: pay 800 to Ada?",
        "expenseid::7: finance: pay 800 to Ada?",
        "expenseid::7: finance: pay 800 to Ada?",
        "expenseid::7: {'paid': 800, 'approved_by': ['Grace', 'Hedy']}",
        "nothing is open",
    ]


async def test_a_rejection_ends_it() -> None:
    await main("file", "8", "Bob", "20")

    assert "turned_down" in await main("reject", "8", "Grace", "no receipt")
    assert "already completed" in await main("approve", "8", "Grace")
    assert "no workflow instance" in await main("approve", "9", "Grace")


async def test_little_money_takes_one_approval() -> None:
    expense = await Harness(Expense).run(
        {"of": "Ada", "amount": 20}, events=[("approved", {"by": "Grace"})]
    )

    assert expense.result == {"paid": 20, "approved_by": ["Grace"]}
    assert expense.skipped_steps == {"ask_finance", "turn_down"}
