"""Three trivial steps in a line, each stored before the next begins."""

from functools import partial

from bench import watch
from bench.contract import Aim, Job, ServerName
from bench.drive import P50, PER_SECOND, count, latency, rate, rates

STEPS = 3
IN_FLIGHT = 100
WIDTHS = (1, 4, 16, 64, 256)
DBOS = ("dbos", "dbos-pinned", "dbos-threads", "dbos-threads-pinned")
OTHERS = ("langgraph", "langgraph-16", "procrastinate")
_POSTGRES: frozenset[ServerName] = frozenset({"postgres"})
_REDIS: frozenset[ServerName] = frozenset({"redis"})
_WORK = f"{STEPS} trivial async steps"


def add_steps(number: int) -> int:
    """Return the result of a workflow whose every step adds one."""
    return number + STEPS


THROUGHPUT = Job(
    name="throughput",
    title=f"{_WORK} on PostgreSQL, {IN_FLIGHT} in flight, one process",
    compared=PER_SECOND,
    more_is_better=True,
    size=5,
    quick_size=1,
    unit="seconds",
    measure=partial(rate, in_flight=IN_FLIGHT, result=add_steps),
    needs=_POSTGRES,
    aims=(
        Aim(text="≥ 10 times the best DBOS", figure=PER_SECOND, against=DBOS, at_least=10),
        Aim(text="≥ 7 times the best of the others", figure=PER_SECOND, against=OTHERS, at_least=7),
    ),
)

SHARED = Job(
    name="throughput-2",
    title=f"{_WORK} on PostgreSQL, {IN_FLIGHT} in flight, two processes sharing the work",
    compared=PER_SECOND,
    more_is_better=True,
    size=5,
    quick_size=1,
    unit="seconds",
    measure=partial(rate, in_flight=IN_FLIGHT // 2, result=add_steps),
    needs=_POSTGRES,
    processes=2,
    aims=(Aim(text="≥ 10 times the best DBOS", figure=PER_SECOND, against=DBOS, at_least=10),),
)

CONCURRENCY = Job(
    name="concurrency",
    title=f"{_WORK} on PostgreSQL, workflows/s with so many in flight, one process",
    compared=str(WIDTHS[-1]),
    more_is_better=True,
    size=3,
    quick_size=None,
    unit="seconds for each number",
    measure=partial(rates, widths=WIDTHS, result=add_steps),
    needs=_POSTGRES,
    most_rounds=3,
)

LATENCY = Job(
    name="latency",
    title=f"{_WORK} on PostgreSQL, one workflow after another",
    compared=P50,
    size=500,
    quick_size=100,
    measure=partial(latency, result=add_steps),
    needs=_POSTGRES,
    aims=(
        Aim(text="≤ a third of DBOS", figure=P50, against=DBOS, at_most=1 / 3),
        Aim(text="≤ 1.5 times four bare autocommits", figure=P50, against=("floor",), at_most=1.5),
    ),
)

ALONE = Job(
    name="writes-alone",
    title=f"What a workflow of {_WORK} writes to PostgreSQL, one after another",
    compared=watch.WAL,
    size=200,
    quick_size=50,
    measure=partial(count, in_flight=1, result=add_steps),
    needs=_POSTGRES,
    is_watched=True,
    most_rounds=3,
    aims=(
        Aim(text="≤ 4 commits", figure=watch.COMMITS, at_most=4.05),
        Aim(text="≤ 2.5 KB of WAL", figure=watch.WAL, at_most=2500),
    ),
)

TOGETHER = Job(
    name="writes",
    title=f"What a workflow of {_WORK} writes to PostgreSQL, {IN_FLIGHT} in flight",
    compared=watch.WAL,
    size=3_000,
    quick_size=1_000,
    measure=partial(count, in_flight=IN_FLIGHT, result=add_steps),
    needs=_POSTGRES,
    is_watched=True,
    most_rounds=3,
    aims=(
        Aim(text="≤ 0.2 commits", figure=watch.COMMITS, at_most=0.2),
        Aim(text="≤ 2.5 KB of WAL", figure=watch.WAL, at_most=2500),
    ),
)

REDIS_THROUGHPUT = Job(
    name="redis-throughput",
    title=f"{_WORK} on Redis, {IN_FLIGHT} in flight, one process",
    compared=PER_SECOND,
    more_is_better=True,
    size=5,
    quick_size=1,
    unit="seconds",
    measure=partial(rate, in_flight=IN_FLIGHT, result=add_steps),
    needs=_POSTGRES | _REDIS,
    aims=(
        Aim(
            text="≥ 1.5 times our PostgreSQL",
            figure=PER_SECOND,
            against=("postgres",),
            at_least=1.5,
        ),
    ),
)

REDIS_LATENCY = Job(
    name="redis-latency",
    title=f"{_WORK} on Redis, one workflow after another",
    compared=P50,
    size=500,
    quick_size=100,
    measure=partial(latency, result=add_steps),
    needs=_POSTGRES | _REDIS,
    aims=(Aim(text="≤ 3 times four bare EVALSHA", figure=P50, against=("floor",), at_most=3),),
)

REDIS_TRIPS = Job(
    name="redis-trips",
    title=f"Round trips to Redis of a workflow of {_WORK}, one after another",
    compared=watch.ROUND_TRIPS,
    size=200,
    quick_size=None,
    measure=partial(count, in_flight=1, result=add_steps),
    needs=_REDIS,
    is_watched=True,
    most_rounds=1,
)

ON_POSTGRES = (THROUGHPUT, SHARED, CONCURRENCY, LATENCY, ALONE, TOGETHER)
ON_REDIS = (REDIS_THROUGHPUT, REDIS_LATENCY, REDIS_TRIPS)
JOBS = (*ON_POSTGRES, *ON_REDIS)
