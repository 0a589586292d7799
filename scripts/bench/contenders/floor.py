"""No engine at all: what the interpreter, the driver and the server take for the same work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.contract import Contender, Run, Setting
from bench.jobs.line import LATENCY, REDIS_LATENCY, STEPS
from bench.jobs.memory import MEMORY

_ROW = '{"number": 1, "padding": "%s"}' % ("x" * 300)
_LUA = "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) return 1"


@asynccontextmanager
async def tasks(_: Setting) -> AsyncIterator[Run]:
    """Run each step as a task of asyncio."""

    async def add_one(number: int) -> int:
        return number + 1

    async def run(number: int) -> int:
        for _ in range(STEPS):
            number = await asyncio.create_task(add_one(number))
        return number

    yield run


@asynccontextmanager
async def autocommits(setting: Setting) -> AsyncIterator[Run]:
    """Insert a row of a workflow, and update it for each step."""
    import asyncpg

    connection = await asyncpg.connect(setting.postgres)
    await connection.execute("CREATE TABLE rows (id bigint PRIMARY KEY, data text)")
    insert = await connection.prepare("INSERT INTO rows VALUES ($1, $2)")
    update = await connection.prepare("UPDATE rows SET data = $2 WHERE id = $1")

    async def run(number: int) -> int:
        await insert.fetch(number, _ROW)
        for _ in range(STEPS):
            await update.fetch(number, _ROW)
        return number + STEPS

    yield run
    await connection.close()


@asynccontextmanager
async def scripts(setting: Setting) -> AsyncIterator[Run]:
    """Write a field of a hash by a script, once for the workflow and once for each step."""
    from redis.asyncio import Redis

    async with Redis.from_url(setting.redis) as client:
        digest = await client.script_load(_LUA)

        async def run(number: int) -> int:
            for step in range(1 + STEPS):
                await client.evalsha(digest, 1, f"{setting.name}:{number}", str(step), _ROW)
            return number + STEPS

        yield run


CONTENDERS = (
    Contender(
        name="floor", job=MEMORY, title="the floor: three bare tasks", distributions=(), open=tasks
    ),
    Contender(
        name="floor",
        job=LATENCY,
        title="the floor: four bare autocommits",
        distributions=("asyncpg",),
        open=autocommits,
    ),
    Contender(
        name="floor",
        job=REDIS_LATENCY,
        title="the floor: four bare EVALSHA",
        distributions=("redis",),
        open=scripts,
    ),
)
