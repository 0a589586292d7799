"""A sign-up: an address is mailed, confirmed within a day, and welcomed."""

from datetime import timedelta

from hephaestus import Done, Retry, StepContext, WaitForEvent, Workflow, step

outbox: list[tuple[str, str]] = []
"""Stands in for a mail server."""


@step(retry=Retry(max_attempts=10, initial_delay=1))
def send_confirmation(ctx: StepContext) -> dict[str, str]:  # a plain function: it runs in a thread
    outbox.append((ctx.initial["email"], f"/confirm/{ctx.initial['token']}"))
    return {"mailed": ctx.initial["email"]}


confirmed = WaitForEvent("confirmed", timeout=timedelta(days=1))


@step
def create_account(ctx: StepContext) -> dict[str, str]:
    return {"account": ctx.initial["email"].partition("@")[0]}


class SignUp(Workflow, unique="signupid"):
    """From an address to an account."""

    start_step = send_confirmation
    transitions = {
        send_confirmation: {"done": confirmed},
        confirmed: {"received": create_account, "timeout": Done},
        create_account: {"done": Done},
    }
