"""The scripts: known to the server by their SHA, and taught again when it has forgotten them."""

import asyncio
from importlib import resources

import pytest
from redis.asyncio import Redis

from hephaestus.testing.storage.samples import change, commit, moved, new_run, store
from hephaestus_redis import RedisStorage, script
from hephaestus_redis.script import Script

FILES = sorted(
    file.name for file in resources.files("hephaestus_redis").joinpath("scripts").iterdir()
)
SCRIPTS = {name.lower(): value for name, value in vars(script).items() if isinstance(value, Script)}


async def test_a_flushed_script_cache_is_filled_again(storage: RedisStorage, client: Redis) -> None:
    run = await store(storage, new_run())
    await client.script_flush()

    second = await commit(storage, moved(run))

    assert await storage.get(run.run_id) == second


async def test_many_calls_that_meet_an_empty_cache_all_succeed_with_one_lesson(
    storage: RedisStorage, client: Redis
) -> None:
    await client.script_flush()
    before = await _calls(client)

    await asyncio.gather(*(store(storage, new_run(f"orderid::{n}")) for n in range(100)))

    after = await _calls(client)
    assert await storage.count() == 100
    # The first call flies alone; those that came meanwhile follow when it is taught.
    assert after["eval"] - before["eval"] <= 2


async def test_a_cache_that_is_flushed_again_and_again_loses_nothing(
    storage: RedisStorage, client: Redis
) -> None:
    runs = [new_run(f"orderid::{n}") for n in range(50)]

    async def flush() -> None:
        for _ in range(25):
            await client.script_flush()

    await asyncio.gather(flush(), *(storage.create(change(run)) for run in runs))

    assert {run.id for run in await storage.query()} == {run.id for run in runs}


def test_each_file_is_a_script_and_each_script_a_file() -> None:
    assert {f"{name}.lua" for name in SCRIPTS} | {"run.lua"} == set(FILES)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_says_in_its_first_line_that_it_is_lua_and_whether_it_writes(name: str) -> None:
    head = SCRIPTS[name].source.decode().splitlines()[0]

    assert head.startswith("#!lua")
    assert ("no-writes" not in head) == SCRIPTS[name].writes


async def _calls(client: Redis) -> dict[str, int]:
    stats = await client.info("commandstats")
    return {name: stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha")}
