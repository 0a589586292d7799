"""What users do with the workflows; each story ends when its run has."""

import asyncio
from collections.abc import Awaitable, Callable

from protocol.simulation import workflows
from protocol.simulation.user import User

Scenario = Callable[[User], Awaitable[None]]


async def a_line(user: User) -> None:
    run = await user.start(workflows.Line)
    await user.until(run)


async def a_rush(user: User) -> None:
    """Several start the same at once; one of them wins."""
    runs = await asyncio.gather(*(user.start(workflows.Line) for _ in range(3)))
    await asyncio.gather(*(user.until(run) for run in runs))


async def a_fan(user: User) -> None:
    run = await user.start(workflows.Fan)
    await user.until(run)


async def forks(user: User) -> None:
    way = user.dice.choice(("left", "right"))
    run = await user.start(workflows.Forks, way=way, width=user.dice.choice((1, 2)))
    await user.until(run)


async def letters(user: User) -> None:
    """Two events, in any order, early or not, some of them doubled."""
    run = await user.start(workflows.Letters)
    events = ["one", "two"]
    user.dice.shuffle(events)
    await asyncio.gather(*(_write(user, run, event) for event in events))
    await user.until(run)


async def a_meeting(user: User) -> None:
    """Two events and a timer, side by side."""
    run = await user.start(workflows.Meeting)
    await asyncio.gather(_write(user, run, "one"), _write(user, run, "two"))
    await user.until(run)


async def a_deadline(user: User) -> None:
    """An event that may be late for the timer."""
    run = await user.start(workflows.Deadline)
    if user.dice.random() < 0.7:
        await user.wait(40)
        await user.post(run, "reply", again=user.dice.random() < 0.5)
    await user.until(run)


async def a_reminder(user: User) -> None:
    """A scheduled timeout that may be taken back."""
    run = await user.start(workflows.Reminder)
    for delay in (1, 3, 20):
        message_id = await user.schedule(run, "nudge", delay)
        if message_id is not None and user.dice.random() < 0.7:
            await user.wait(delay)
            await user.withdraw(message_id)
    await user.wait(20)
    await user.post(run, "answered", key="answer")
    await user.until(run)


async def a_flaky_step(user: User) -> None:
    run = await user.start(workflows.Flaky)
    await user.until(run)


async def a_repair(user: User) -> None:
    """A branch fails, the others go on, and the run is taken up again."""
    run = await user.start(workflows.Repair)
    await asyncio.gather(_write(user, run, "one"), user.until(run))


async def a_question(user: User) -> None:
    """A step halts; the answer completes it, or runs it again."""
    run = await user.start(workflows.Question, then=user.dice.choice(("ask", "yes")))
    event = user.dice.choice((None, "yes", "no"))
    if event is not None and user.dice.random() < 0.3:
        await user.post(run, event, key="early")
    while await user.until(run, "halted"):
        await user.post(run, event, step="ask")
        await user.wait(20)


async def and_a_cancel(user: User, scenario: Scenario) -> None:
    """Stop the run of a story at some time."""
    await asyncio.gather(scenario(user), _interfere(user, user.cancel))


async def and_a_deletion(user: User, scenario: Scenario) -> None:
    """Delete the run of a story at some time."""
    await asyncio.gather(scenario(user), _interfere(user, user.delete))


async def _interfere(user: User, verb: Callable[[str], Awaitable[None]]) -> None:
    run = await user.has_started()
    await user.wait(user.dice.choice((1, 5, 30)))
    await verb(run)


async def _write(user: User, run: str, event: str) -> None:
    """Send an event: once, or twice by one key, or twice by two."""
    await user.wait(20)
    match user.dice.choice(("once", "one key", "two keys")):
        case "once":
            await user.post(run, event, key=event)
        case "one key":
            await asyncio.gather(user.post(run, event, key=event), user.post(run, event, key=event))
        case _:
            await user.post(run, event, again=False)
            await user.post(run, event, key=event)


SCENARIOS: tuple[Scenario, ...] = (
    a_line, a_rush, a_fan, forks, letters, a_meeting, a_deadline, a_reminder, a_flaky_step,
    a_repair, a_question,
)  # fmt: skip
