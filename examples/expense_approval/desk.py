"""The desk, from a shell.

python desk.py file 7 Ada 800       python desk.py open
python desk.py approve 7 Grace      python desk.py reject 7 Grace "no receipt"
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

from expenses import Expense

from hephaestus import Hephaestus, InstanceFinished, InstanceNotFound
from hephaestus_postgres import PostgresStorage


async def file(app: Hephaestus, number: str, of: str, amount: str) -> str:
    expense = await Expense.start(number, {"of": of, "amount": int(amount)})
    return await said(app, expense.id)


async def open_questions(app: Hephaestus) -> str:
    halted = await Expense.list(status="halted", order="oldest")
    return "\n".join(f"{run.id}: {run.halt_prompt}" for run in halted) or "nothing is open"


async def approve(app: Hephaestus, number: str, by: str) -> str:
    return await answer(app, number, "approved", {"by": by})


async def reject(app: Hephaestus, number: str, by: str, reason: str = "") -> str:
    return await answer(app, number, "rejected", {"by": by, "reason": reason})


async def answer(app: Hephaestus, number: str, event: str, payload: dict[str, str]) -> str:
    halted = await Expense.get(number)
    # Named, so that an answer to one question is never taken for an answer to the next.
    await Expense.resume(number, event, payload, step=halted.current_step)
    return await said(app, halted.id)


async def said(app: Hephaestus, id: str) -> str:
    run = await app.wait(id, timeout=10)  # until it has ended, or asks again
    return f"{run.id}: {run.halt_prompt or run.error or run.result}"


VERBS: dict[str, Callable[..., Awaitable[str]]] = {
    "file": file,
    "open": open_questions,
    "approve": approve,
    "reject": reject,
}


async def main(verb: str, *arguments: str) -> str:
    storage = PostgresStorage(os.environ["DATABASE_URL"])
    await storage.migrate()
    async with Hephaestus(storage) as app:
        try:
            return await VERBS[verb](app, *arguments)
        except (InstanceFinished, InstanceNotFound) as error:
            return str(error)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        sys.exit(__doc__)
    print(asyncio.run(main(*sys.argv[1:])))
