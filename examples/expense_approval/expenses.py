"""Expenses: filed, approved by the manager, above a limit by finance too, then paid."""

from typing import Any

from hephaestus import Choose, Done, Fatal, Halt, StepContext, Workflow, step

LIMIT = 500


@step
async def file(ctx: StepContext) -> dict[str, Any]:
    if ctx.initial["amount"] <= 0:
        raise Fatal("an expense has an amount")
    return {"amount": ctx.initial["amount"], "of": ctx.initial["of"]}


def question(ctx: StepContext, who: str) -> Halt:
    expense = ctx[file]
    return Halt(
        {"who": who, **expense},
        prompt=f"{who}: pay {expense['amount']} to {expense['of']}?",
        resume_to="rejected",
    )


@step(events=("approved", "rejected"))
async def ask_manager(ctx: StepContext) -> Halt:
    return question(ctx, "manager")


@step(events=("approved", "rejected"))
async def ask_finance(ctx: StepContext) -> Halt:
    return question(ctx, "finance")


@step
async def pay(ctx: StepContext) -> dict[str, Any]:
    approvals = [ctx[step]["by"] for step in (ask_manager, ask_finance) if step in ctx]
    return {"paid": ctx[file]["amount"], "approved_by": approvals}


@step
async def turn_down(ctx: StepContext) -> dict[str, Any]:
    return {"turned_down": True}


def by_amount(ctx: StepContext) -> object:
    return ask_finance if ctx[file]["amount"] > LIMIT else pay


class Expense(Workflow, unique="expenseid", name="expenses.Expense"):
    """From the receipt to the money."""

    start_step = file
    transitions = {
        file: {"done": ask_manager},
        ask_manager: {"approved": Choose(by_amount, [ask_finance, pay]), "rejected": turn_down},
        ask_finance: {"approved": pay, "rejected": turn_down},
        pay: {"done": Done},
        turn_down: {"done": Done},
    }
