import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from servers.server import OwnServer, Server


async def write(server: Server, value: str) -> None:
    if server.url.startswith("redis"):
        async with Redis.from_url(server.url) as client:
            await client.set("value", value)
        return
    connection = await asyncpg.connect(server.url)
    await connection.execute("CREATE TABLE kept (value text)")
    await connection.execute("INSERT INTO kept VALUES ($1)", value)
    await connection.close()


async def read(server: Server) -> str:
    if server.url.startswith("redis"):
        async with Redis.from_url(server.url, decode_responses=True) as client:
            return str(await client.get("value"))
    connection = await asyncpg.connect(server.url)
    value = await connection.fetchval("SELECT value FROM kept")
    await connection.close()
    return str(value)


@pytest.fixture(params=["own_postgres_server", "own_redis_server"])
def server(request: pytest.FixtureRequest) -> OwnServer:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, OwnServer)
    return found


async def test_data_survive_a_restart(server: OwnServer) -> None:
    await write(server, "kept")

    server.restart()

    assert "kept" == await read(server)


async def test_data_survive_a_kill(server: OwnServer) -> None:
    await write(server, "kept")

    server.kill()
    with pytest.raises((ConnectionRefusedError, RedisConnectionError)):
        await read(server)
    server.start()

    assert "kept" == await read(server)
