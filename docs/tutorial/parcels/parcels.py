"""How a parcel travels: quoted, paid, labelled while a courier is booked, handed over."""

from datetime import timedelta

from hephaestus import Done, Retry, WaitForEvent, Workflow, step


@step
async def quote(ctx):
    return {"price": 4 + ctx.initial["grams"] // 500}


paid = WaitForEvent("paid", timeout=timedelta(days=3))  # ends with "received" or "timeout"


@step
def print_label(ctx):  # a plain function runs in a thread
    return {"label": f"to {ctx.initial['to']}"}


@step(retry=Retry(max_attempts=3, initial_delay=0.1))
async def book_courier(ctx):
    if ctx.attempt == 1:
        raise ConnectionError("the courier does not answer")
    return {"courier": "van 3"}


@step
async def hand_over(ctx):  # runs once, after both
    return {**ctx[print_label], **ctx[book_courier], "receipt": ctx[paid]["receipt"]}


class Parcel(Workflow, unique="parcelid"):
    start_step = quote
    transitions = {
        quote: {"done": paid},
        paid: {"received": [print_label, book_courier], "timeout": Done},
        print_label: {"done": hand_over},
        book_courier: {"done": hand_over},
        hand_over: {"done": Done},
    }
