import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pika
import pytest
from redis.asyncio import Redis

from servers import debian, postgres, redis
from servers.family import descendants, is_alive
from servers.server import NotOurs, OwnServer, Server
from servers.source import Given


async def write(server: Server, value: str) -> None:
    """Keep a value, and return when the server has promised that it is kept."""
    match server:
        case postgres.PostgresServer():
            connection = await asyncpg.connect(server.url)
            await connection.execute("CREATE TABLE kept AS SELECT $1::text AS value", value)
            await connection.close()
        case redis.RedisServer():
            async with Redis.from_url(server.url) as client:
                await client.set("value", value)
        case _:
            with pika.BlockingConnection(pika.URLParameters(server.url)) as broker:
                channel = broker.channel()
                channel.confirm_delivery()
                channel.queue_declare("kept", durable=True)
                persistent = pika.BasicProperties(delivery_mode=2)
                channel.basic_publish("", "kept", value.encode(), persistent)


async def read(server: Server) -> Any:
    """Return the value that was kept."""
    match server:
        case postgres.PostgresServer():
            connection = await asyncpg.connect(server.url)
            try:
                return await connection.fetchval("SELECT value FROM kept")
            finally:
                await connection.close()
        case redis.RedisServer():
            async with Redis.from_url(server.url, decode_responses=True) as client:
                return await client.get("value")
        case _:
            with pika.BlockingConnection(pika.URLParameters(server.url)) as broker:
                _, _, body = broker.channel().basic_get("kept")
                return body and body.decode()


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
    server.start()

    assert "kept" == await read(server)


def test_a_kill_ends_every_process(server: OwnServer) -> None:
    family = family_of(server)

    server.kill()

    assert [] == [pid for pid in family if is_alive(pid)]


def test_nothing_is_left_of_a_server_that_is_closed(server: OwnServer) -> None:
    family = family_of(server)

    server.close()

    assert [] == [pid for pid in family if is_alive(pid)]
    assert not server.place.folder.exists()


async def test_rabbitmq_keeps_its_data_and_leaves_nothing(own_rabbitmq_server: OwnServer) -> None:
    # One test for all of it: RabbitMQ takes some seconds to start.
    await write(own_rabbitmq_server, "kept")
    family = family_of(own_rabbitmq_server)

    own_rabbitmq_server.kill()
    killed = [pid for pid in family if not is_alive(pid)]
    own_rabbitmq_server.start()
    value = await read(own_rabbitmq_server)
    successors = family_of(own_rabbitmq_server)
    own_rabbitmq_server.close()

    assert "kept" == value
    assert family == killed
    assert [] == [pid for pid in successors if is_alive(pid)]
    assert not own_rabbitmq_server.place.folder.exists()


def test_a_killed_server_leaves_no_shared_memory(own_postgres_server: OwnServer) -> None:
    segments, files = shared_memory_of(own_postgres_server)

    own_postgres_server.kill()
    own_postgres_server.close()

    assert segments
    assert segments.isdisjoint(all_segments())
    assert files
    assert [] == [file for file in files if file.exists()]
    assert not own_postgres_server.place.folder.exists()


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_the_wheel_serves_where_nothing_is_installed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = {"postgres": postgres, "redis": redis}[name]
    monkeypatch.setattr(module, "_on_the_path", lambda: None)
    source = module.find_installed()

    with module.server_from(source) as server:
        assert "wheel" in server.version


def test_what_a_killed_run_started_is_ended() -> None:
    program = """
import os, signal
from servers import postgres
server = postgres.server_from(postgres.find_installed())
server.start()
print(server.process.pid, server.place.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        pid, folder = run.stdout.readline().split()

    wait_for(lambda: not is_alive(int(pid)) and not Path(folder.decode()).exists())


def test_a_server_that_somebody_else_runs_is_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEPHAESTUS_POSTGRES_URL", "postgresql://me:secret@there:5432/db")
    source = postgres.find()
    assert isinstance(source, Given)

    with postgres.server_from(source) as server, pytest.raises(NotOurs) as caught:
        server.kill()

    assert "there:5432 (HEPHAESTUS_POSTGRES_URL) is run by somebody else" in str(caught.value)
    assert "postgresql://me:secret@there:5432/db" == server.url


async def test_a_schema_is_empty_and_its_own(postgres_url: str, postgres_schema: str) -> None:
    url = postgres_url.replace("+asyncpg", "")
    connection = await asyncpg.connect(url, server_settings={"search_path": postgres_schema})
    try:
        await connection.execute("CREATE TABLE one (number int)")
        schema = await connection.fetchval("SELECT schemaname FROM pg_tables WHERE tablename='one'")
    finally:
        await connection.close()

    assert postgres_schema == schema


async def test_postgres_is_as_durable_as_its_defaults(postgres_server: Server) -> None:
    connection = await asyncpg.connect(postgres_server.url)
    try:
        names = ["fsync", "synchronous_commit", "max_connections", "shared_preload_libraries"]
        found = [await connection.fetchval(f"SHOW {name}") for name in names]
    finally:
        await connection.close()

    assert ["on", "on", "200", ""] == found


async def test_redis_writes_all_down(redis_server: Server) -> None:
    names = ["appendonly", "appendfsync", "maxmemory-policy"]
    async with Redis.from_url(redis_server.url, decode_responses=True) as client:
        found = await client.config_get(*names)

    assert {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
    } == found


def test_a_package_does_not_start_its_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "POLICY", tmp_path / "policy-rc.d")

    with debian.no_services():
        answer = subprocess.run([debian.POLICY, "rabbitmq-server", "start"], check=False)

    assert 101 == answer.returncode
    assert not debian.POLICY.exists()


def test_a_policy_of_the_machine_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "POLICY", tmp_path / "policy-rc.d")
    debian.POLICY.write_text("its own", "utf-8")

    with debian.no_services():
        pass

    assert "its own" == debian.POLICY.read_text("utf-8")


def family_of(server: OwnServer) -> list[int]:
    assert server.process is not None
    mapper = getattr(server, "port_mapper", None)
    own = [server.process.pid, *descendants(server.process.pid)]
    return own if mapper is None else [*own, mapper.pid]


def shared_memory_of(server: OwnServer) -> tuple[set[int], list[Path]]:
    """Return the numbers and the files of the memory that a server shares with its children."""
    maps = Path("/proc", str(family_of(server)[0]), "maps")
    if not maps.exists():
        pytest.skip("this system does not list shared memory in files")
    lines = [line.split() for line in maps.read_text("utf-8").splitlines()]
    segments = {int(line[4]) for line in lines if line[-2].startswith("/SYSV")}
    return segments, [Path(line[-1]) for line in lines if line[-1].startswith("/dev/shm/")]


def all_segments() -> set[int]:
    rows = Path("/proc/sysvipc/shm").read_text("utf-8").splitlines()[1:]
    return {int(row.split()[1]) for row in rows}


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when it is so; the test's own time limits this."""
    while not condition():
        time.sleep(0.01)
