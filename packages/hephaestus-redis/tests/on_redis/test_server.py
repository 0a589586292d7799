"""What a storage asks of its server when it is opened: persistence, memory policy, clock."""

import asyncio
from traceback import TracebackException

import pytest
from redis.asyncio import Redis

from hephaestus.errors import InvalidArgument, StorageUnavailable
from hephaestus.testing.storage.samples import NOW, due, lease, new_run, store
from hephaestus_redis import RedisStorage
from hephaestus_redis.server import faults_of_disk
from on_redis.setting import Server

NOTHING_ON_DISK = {"appendonly": "no", "save": ""}


@pytest.mark.parametrize(
    "settings",
    [
        {"appendonly": "yes", "save": ""},
        {"appendonly": "no", "save": "3600 1"},
        {"maxmemory-policy": "noeviction"},
        {"maxmemory-policy": "volatile-lru"},
    ],
    ids=str,
)
async def test_a_server_that_keeps_all_is_taken_without_a_word(
    own_redis_server: Server,
    own_client: Redis,
    settings: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await _set(own_client, settings)

    await _open_and_close(RedisStorage(own_redis_server.url, require_persistence=True))

    assert caplog.text == ""


@pytest.mark.parametrize(
    ("settings", "said"),
    [(NOTHING_ON_DISK, "nothing on disk"), ({"maxmemory-policy": "allkeys-lru"}, "allkeys-lru")],
    ids=str,
)
async def test_a_server_that_may_lose_something_gets_a_loud_warning(
    own_redis_server: Server,
    own_client: Redis,
    settings: dict[str, str],
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await _set(own_client, settings)

    await _open_and_close(RedisStorage(own_redis_server.url))

    (record,) = caplog.records
    assert (record.levelname, said in record.getMessage()) == ("WARNING", True)


@pytest.mark.parametrize(
    ("settings", "said"),
    [(NOTHING_ON_DISK, "nothing on disk"), ({"maxmemory-policy": "allkeys-lru"}, "allkeys-lru")],
    ids=str,
)
async def test_a_server_that_may_lose_something_is_refused_where_persistence_is_required(
    own_redis_server: Server, own_client: Redis, settings: dict[str, str], said: str
) -> None:
    await _set(own_client, settings)
    storage = RedisStorage(own_redis_server.url, require_persistence=True)

    with pytest.raises(StorageUnavailable, match=said):
        await storage.open()


async def test_a_server_that_does_not_tell_its_settings_counts_as_one_without_snapshots(
    own_redis_server: Server, own_client: Redis
) -> None:
    await _set(own_client, {"appendonly": "no", "save": "3600 1"})
    await own_client.acl_setuser(
        "guarded", enabled=True, passwords=["+secret"], keys=["*"], categories=["+@all"],
        commands=["-config"],
    )  # fmt: skip
    url = own_redis_server.url.replace("//", "//guarded:secret@")

    await _open_and_close(RedisStorage(url))

    refused = RedisStorage(url, require_persistence=True)
    with pytest.raises(StorageUnavailable, match="does not say"):
        await refused.open()


async def test_a_user_may_have_no_more_rights_than_the_readme_says(
    own_redis_server: Server, own_client: Redis
) -> None:
    # The rights, word by word; the library's own way to say them is another.
    rights = ("~{hotel}:*", "+@all", "-@dangerous", "+info")
    await own_client.execute_command("ACL", "SETUSER", "guest", "on", ">secret", *rights)  # type: ignore[no-untyped-call]  # it says nothing of itself
    url = own_redis_server.url.replace("//", "//guest:secret@")
    storage = RedisStorage(url, namespace="hotel", require_persistence=True, replicas=0)
    await storage.open()

    run = await store(storage, new_run(), entries=(), wake_at=NOW)

    assert await due(storage, NOW) == [run.run_id]
    assert await storage.claim(lease(run), NOW, results=()) == run
    assert await storage.query(workflow_family="shop.", context={"initial": {}}) == [run]
    assert await storage.delete(run.id)
    assert await storage.prune(NOW) == 0
    await storage.close()


def test_an_append_only_file_that_cannot_be_written_is_told() -> None:
    facts = {"aof_enabled": "1", "aof_last_write_status": "err"}

    assert "cannot write" in faults_of_disk(facts, "")[0]


@pytest.mark.parametrize("url", ["localhost", "http://localhost", "redis://localhost/x?db=y", 7])
def test_what_is_no_redis_is_refused(url: object) -> None:
    with pytest.raises(InvalidArgument):
        RedisStorage(url)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "url",
    [
        "http://:hunter2@localhost",
        "redis://:hunter2@localhost:hunter2",
        "redis://me:hunter2#rest@localhost",
        "redis://:hunter2@localhost/0?socket_timeout=hunter2",
    ],
    ids=["scheme", "port", "character", "option"],
)
def test_a_refused_url_does_not_give_its_password_away(url: str) -> None:
    with pytest.raises(InvalidArgument, match="percent-encoded") as refused:
        RedisStorage(url)

    # As a log of it would be: with whatever it was raised from.
    assert "hunter2" not in "".join(TracebackException.from_exception(refused.value).format())


async def test_a_client_that_was_given_stays_open(redis_url: str, redis_namespace: str) -> None:
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        storage = RedisStorage(client, namespace=redis_namespace)

        await _open_and_close(storage)

        assert await client.ping()


def test_a_storage_serves_one_event_loop_after_another(
    redis_url: str, redis_namespace: str
) -> None:
    storage = RedisStorage(redis_url, namespace=redis_namespace)

    async def use() -> int:
        await storage.open()
        await asyncio.gather(*(store(storage, new_run()) for _ in range(3)))
        count = await storage.count()
        await storage.close()
        return count

    assert [asyncio.run(use()) for _ in range(2)] == [3, 6]


async def test_a_storage_that_was_not_opened_closes_all_the_same() -> None:
    storage = RedisStorage("redis://localhost")

    await storage.close()
    await storage.close()


async def test_a_storage_that_could_not_be_opened_can_be_opened_later(
    own_redis_server: Server,
) -> None:
    storage = RedisStorage(own_redis_server.url)
    own_redis_server.kill()
    with pytest.raises(StorageUnavailable):
        await storage.open()
    own_redis_server.restart()

    await _open_and_close(storage)


async def _set(client: Redis, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        await client.config_set(name, value)


async def _open_and_close(storage: RedisStorage) -> None:
    await storage.open()
    await storage.close()
