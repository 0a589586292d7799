"""The workflow of an order, from its arrival to the parcel, or to the reason why there is none."""

from datetime import timedelta
from typing import Any

from demo import services
from hephaestus import (
    Choose,
    Done,
    Fatal,
    Halt,
    Retry,
    Step,
    StepContext,
    Wait,
    WaitForEvent,
    Workflow,
    step,
)

LARGE = 50_000
"""From so many cents on, somebody has to approve an order."""

RISKY = 0.5


@step(events=("accepted", "refused"))
async def check_order(ctx: StepContext) -> str:
    """Refuse what nobody could deliver."""
    return "accepted" if ctx.initial["country"] in services.CARRIERS else "refused"


@step
async def reserve_stock(ctx: StepContext) -> dict[str, str]:
    """Put the items aside, once: the key is the same in every attempt."""
    return {"reservation": await services.reserve(ctx.initial["items"], ctx.idempotency_key)}


class CheckFraud(Step):
    """Ask a service that hangs up now and then, and sometimes never answers."""

    retry = Retry(max_attempts=5, initial_delay=timedelta(milliseconds=50))
    timeout = timedelta(milliseconds=300)  # of one attempt

    async def execute(self, ctx: StepContext) -> dict[str, float]:
        """Return the risk, however many attempts it takes."""
        order = ctx.initial
        return {"risk": await services.risk_of(order["id"], order["items"], ctx.attempt)}


@step
def price_order(ctx: StepContext) -> dict[str, int]:
    """Add up; this function is plain, so it runs in a thread."""
    return {"cents": sum(item["quantity"] * item["cents"] for item in ctx.initial["items"])}


@step(events=("clear", "suspicious"))
async def review(ctx: StepContext) -> str:
    """Join what the three steps before found out."""
    return "suspicious" if ctx[CheckFraud]["risk"] >= RISKY else "clear"


@step(events=("approved", "declined"))
async def approve(ctx: StepContext) -> Halt:
    """Stop until a person has answered."""
    return Halt({"cents": ctx[price_order]["cents"]}, prompt="Take an order this large?")


paid = WaitForEvent("paid", timeout=timedelta(seconds=1.2))  # days, in a real shop


@step(events=("standard", "express"))
async def pack(ctx: StepContext) -> tuple[str, dict[str, Any]]:
    """Pack what is paid for."""
    return ctx.initial["delivery"], {"receipt": ctx[paid]["receipt"]}


cooling_off = Wait(timedelta(seconds=0.5), key="cooling_off")


class BookCarrier(Step):
    """Hand the parcel over; how fast it has to be is config of the transition."""

    async def execute(self, ctx: StepContext) -> dict[str, str]:
        """Fail for good where a retry cannot help, and for now where it can."""
        if not ctx.initial["postcode"]:
            raise Fatal("no carrier finds an address without a postcode")
        carrier = services.CARRIERS[ctx.initial["country"]]
        parcel = await services.book(carrier, ctx.idempotency_key)
        return {"carrier": carrier, "parcel": parcel, "speed": ctx.config["speed"]}


@step
async def release_stock(ctx: StepContext) -> dict[str, str]:
    """Give back what was put aside."""
    return {"released": ctx[reserve_stock]["reservation"], "ending": ctx.config["ending"]}


@step
async def tell_customer(ctx: StepContext) -> dict[str, str]:
    """Meet all paths again, and make the result of the run."""
    ending = ctx.config.get("ending") or ctx[release_stock]["ending"]
    signed = ctx.instance.metadata["team"]
    parcel = ctx[BookCarrier]["parcel"] if BookCarrier in ctx else ""
    return {"ending": ending, "parcel": parcel, "signed": signed}


def who_decides(ctx: StepContext) -> Any:
    """Ask a person about a large order, and nobody about others."""
    return approve if ctx[price_order]["cents"] >= LARGE else paid


class OrderFlow(
    Workflow,
    unique="orderid",
    tags=["orders"],
    metadata={"team": "shipping"},
    retry=Retry(max_attempts=3, initial_delay=timedelta(milliseconds=80), backoff="linear"),
):
    """What happens to an order; proven when this class is defined."""

    start_step = check_order
    transitions = {
        check_order: {
            "accepted": [reserve_stock, CheckFraud, price_order],
            "refused": tell_customer.using(ending="refused"),
        },
        reserve_stock: {"done": review},
        CheckFraud: {"done": review},
        price_order: {"done": review},
        review: {
            "clear": Choose(who_decides, [approve, paid]),
            "suspicious": release_stock.using(ending="suspicious"),
        },
        approve: {"approved": paid, "declined": release_stock.using(ending="declined")},
        paid: {"received": pack, "timeout": release_stock.using(ending="unpaid")},
        pack: {"express": BookCarrier.using(speed="express"), "standard": cooling_off},
        cooling_off: {"timeout": BookCarrier.using(speed="standard")},
        BookCarrier: {"done": tell_customer.using(ending="shipped")},
        release_stock: {"done": tell_customer},
        tell_customer: {"done": Done},
    }
