"""What `wait` makes of a run that was told to go on and has yet to do so."""

import asyncio

from hephaestus import Done, Hephaestus, WaitForEvent, Workflow

SOON = 0.5
"""Far less than the pause between two looks at a run that nobody announces."""

asked = WaitForEvent("asked")
answered = WaitForEvent("answered")


class Talk(Workflow, unique="waitingtalk"):
    start_step = asked
    transitions = {asked: {"received": answered}, answered: {"received": Done}}


async def test_a_wait_for_the_next_wait_ends_as_soon_as_it_begins() -> None:
    async with Hephaestus():
        talk = await Talk.start("1", {})
        await talk.resume("asked")
        async with asyncio.timeout(SOON):
            instance = await talk.wait(until="waiting")

    assert {"answered"} == instance.waiting_steps
