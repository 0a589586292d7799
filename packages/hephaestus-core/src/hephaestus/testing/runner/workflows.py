"""The workflows that the suite runs; each test directs what their steps do."""

from datetime import timedelta
from typing import Any

from hephaestus.retry import Retry
from hephaestus.steps import Done, Step, StepContext, Wait, WaitForEvent
from hephaestus.testing.runner.stage import perform, perform_plainly
from hephaestus.transitions import Choose
from hephaestus.workflow import Workflow

SOON = timedelta(milliseconds=30)
"""How long the short timers of the samples take."""

LATE = timedelta(hours=1)
"""How long the timers take that no test sees fire."""

QUICKLY = Retry(max_attempts=3, initial_delay=0.01, backoff="constant", jitter=0)
PERSISTENTLY = Retry(max_attempts=200, initial_delay=0.01, backoff="constant", jitter=0)
WIDTH = 20
"""How many parts an `Export` has."""


class Sample(Step):
    """A step that is declared by its arguments."""

    def __init__(self, key: str, *events: str, **options: Any) -> None:
        """Take the key, the events, and what else a step declares."""
        self.key = key
        self.events = events or ("done",)
        for name, value in options.items():
            setattr(self, name, value)


class Directed(Sample):
    """An `async def` step that does what the test says."""

    async def execute(self, ctx: StepContext) -> object:
        """Do what the test says."""
        return await perform(ctx, self.key, self.events[0])


class PlainlyDirected(Sample):
    """A plain step that does what the test says; it runs in a thread."""

    def execute(self, ctx: StepContext) -> object:
        """Do what the test says."""
        return perform_plainly(ctx, self.key, self.events[0])


run_errand = Directed("run_errand")


class Errand(Workflow, unique="errand"):
    """One step."""

    start_step = run_errand
    transitions = {run_errand: {"done": Done}}


compute = PlainlyDirected("compute")


class Computation(Workflow, unique="computation"):
    """One plain step."""

    start_step = compute
    transitions = {compute: {"done": Done}}


validate, charge, ship = Directed("validate"), Directed("charge"), Directed("ship")


class Order(Workflow, unique="order", tags=["orders"], metadata={"team": "sales"}):
    """Three steps in a line; the last one has config."""

    start_step = validate
    transitions = {
        validate: {"done": charge},
        charge: {"done": ship.using(carrier="post")},
        ship: {"done": Done},
    }


fetch = Directed("fetch", retry=QUICKLY)
store = Directed("store")


class Download(Workflow, unique="download"):
    """A step that is tried three times, quickly, and another one."""

    start_step = fetch
    transitions = {fetch: {"done": store}, store: {"done": Done}}


call_out = Directed("call_out", timeout=SOON, retry=QUICKLY)


class Call(Workflow, unique="call"):
    """A step that must not take long."""

    start_step = call_out
    transitions = {call_out: {"done": Done}}


crunch = PlainlyDirected("crunch", retry=QUICKLY)


class Crunching(Workflow, unique="crunching"):
    """A plain step that is tried three times, quickly."""

    start_step = crunch
    transitions = {crunch: {"done": Done}}


race = PlainlyDirected("race", timeout=SOON, retry=PERSISTENTLY)


class Racing(Workflow, unique="racing"):
    """A plain step that must not take long, and has many attempts: threads begin when they can."""

    start_step = race
    transitions = {race: {"done": Done}}


decide = Directed("decide", "accepted", "rejected")
accept, reject, archive = Directed("accept"), Directed("reject"), Directed("archive")


class Review(Workflow, unique="review"):
    """Two branches that exclude each other, and meet again."""

    start_step = decide
    transitions = {
        decide: {"accepted": accept, "rejected": reject},
        accept: {"done": archive},
        reject: {"done": archive},
        archive: {"done": Done},
    }


pack, weigh, label = Directed("pack"), Directed("weigh", retry=QUICKLY), Directed("label")
hand_over = Directed("hand_over")


class Parcel(Workflow, unique="parcel"):
    """Two branches at once, and a join."""

    start_step = pack
    transitions = {
        pack: {"done": [weigh, label.using(size="a6")]},
        weigh: {"done": hand_over},
        label: {"done": hand_over},
        hand_over: {"done": Done},
    }


def by_modes(ctx: StepContext) -> list[Step]:
    """Choose the means of transport that planning found."""
    by_key = {"by_rail": by_rail, "by_road": by_road}
    return [by_key[key] for key in ctx["plan"]["modes"]]


plan, by_rail, by_road = Directed("plan"), Directed("by_rail"), Directed("by_road")
arrive = Directed("arrive")


class Journey(Workflow, unique="journey"):
    """A step whose result chooses what comes next: one of two steps, or both."""

    start_step = plan
    transitions = {
        plan: {"done": Choose(by_modes, [by_rail, by_road])},
        by_rail: {"done": arrive},
        by_road: {"done": arrive},
        arrive: {"done": Done},
    }


split, collect = Directed("split"), Directed("collect")
parts = [Directed(f"part_{number:02}") for number in range(WIDTH)]


class Export(Workflow, unique="export"):
    """Many branches at once, and a join."""

    start_step = split
    transitions = {
        split: {"done": list(parts)},
        **{part: {"done": collect} for part in parts},
        collect: {"done": Done},
    }


doze = Wait(SOON, key="doze")
ring = Directed("ring")


class Reminder(Workflow, unique="reminder"):
    """A pause, then a step."""

    start_step = doze
    transitions = {doze: {"timeout": ring}, ring: {"done": Done}}


send_bill = Directed("send_bill", retry=QUICKLY)
paid = WaitForEvent("paid")
thank = Directed("thank")


class Bill(Workflow, unique="bill"):
    """A step, then an event from outside without which nothing goes on."""

    start_step = send_bill
    transitions = {
        send_bill: {"done": paid},
        paid: {"received": thank},
        thank: {"done": Done},
    }


sign_up, greet = Directed("sign_up"), Directed("greet")


class Subscription(Workflow, unique="subscription"):
    """Two steps in a line, then an event from outside."""

    start_step = sign_up
    transitions = {
        sign_up: {"done": greet},
        greet: {"done": paid},
        paid: {"received": Done},
    }


answered = WaitForEvent("answered", timeout=SOON)
file_answer, chase = Directed("file_answer"), Directed("chase")


class Enquiry(Workflow, unique="enquiry"):
    """An event that comes in time or does not."""

    start_step = answered
    transitions = {
        answered: {"received": file_answer, "timeout": chase},
        file_answer: {"done": Done},
        chase: {"done": Done},
    }


replied = WaitForEvent("replied", timeout=LATE)
thank, nag = Directed("thank"), Directed("nag")


class Survey(Workflow, unique="survey"):
    """An event that comes long before the time is up."""

    start_step = replied
    transitions = {
        replied: {"received": thank, "timeout": nag},
        thank: {"done": Done},
        nag: {"done": Done},
    }


rest = Wait(LATE, key="rest")


class Vacation(Workflow, unique="vacation"):
    """A pause whose end no test sees."""

    start_step = rest
    transitions = {rest: {"timeout": Done}}


crawl = Directed("crawl")


class Search(Workflow, unique="search", retry=Retry(max_attempts=2, initial_delay=LATE)):
    """A step whose second attempt no test sees."""

    start_step = crawl
    transitions = {crawl: {"done": Done}}


dial = Directed("dial", "connected", "timeout")


class Connection(Workflow, unique="connection"):
    """A step that suspends itself; its event comes from outside, or its timeout."""

    start_step = dial
    transitions = {dial: {"connected": Done, "timeout": Done}}


hear_buyer = Directed("hear_buyer", "agreed")
hear_seller = Directed("hear_seller", "agreed")
call_both, close_deal = Directed("call_both"), Directed("close_deal")


class Deal(Workflow, unique="deal"):
    """Two steps that wait for the same event at once."""

    start_step = call_both
    transitions = {
        call_both: {"done": [hear_buyer, hear_seller]},
        hear_buyer: {"agreed": close_deal},
        hear_seller: {"agreed": close_deal},
        close_deal: {"done": Done},
    }


ask = Directed("ask", "approved", "refused")
carry_out, apologise = Directed("carry_out"), Directed("apologise")


class Approval(Workflow, unique="approval"):
    """A step that stops for an answer."""

    start_step = ask
    transitions = {
        ask: {"approved": carry_out, "refused": apologise},
        carry_out: {"done": Done},
        apologise: {"done": Done},
    }


book = Directed("book", "done", "confirmed", "timeout", transactional=True, retry=QUICKLY)
confirm = Directed("confirm")


class Booking(Workflow, unique="booking"):
    """A transactional step, which may wait or halt, and another one."""

    start_step = book
    transitions = {
        book: {"done": confirm, "confirmed": confirm, "timeout": confirm},
        confirm: {"done": Done},
    }


pick, board = Directed("pick"), Directed("board")
reserve_seat = Directed("reserve_seat", transactional=True, retry=QUICKLY)
reserve_meal = Directed("reserve_meal", transactional=True, retry=QUICKLY)
notify = Directed("notify", retry=QUICKLY)


class Trip(Workflow, unique="trip"):
    """Three branches at once, two of them transactional, and a join."""

    start_step = pick
    transitions = {
        pick: {"done": [reserve_seat, reserve_meal, notify]},
        reserve_seat: {"done": board},
        reserve_meal: {"done": board},
        notify: {"done": board},
        board: {"done": Done},
    }
