"""Our storages, each empty for every measurement."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from bench.contract import Setting

if TYPE_CHECKING:
    from hephaestus.storage import Storage

Make: TypeAlias = "Callable[[Setting], Awaitable[Storage]]"


async def memory(_: Setting) -> "Storage":
    """Return a storage in this process."""
    from hephaestus import MemoryStorage

    return MemoryStorage()


async def postgres(setting: Setting) -> "Storage":
    """Return a storage in the database, with its tables."""
    from hephaestus_postgres import PostgresStorage

    storage = PostgresStorage(setting.sqlalchemy)
    await storage.migrate()
    return storage


async def redis(setting: Setting) -> "Storage":
    """Return a storage in a namespace of its own."""
    from hephaestus_redis import RedisStorage

    return RedisStorage(setting.redis, namespace=setting.name)


def distributions(make: Make) -> tuple[str, ...]:
    """Return what has to be installed for a storage."""
    name = getattr(make, "__name__", "")
    return ("hephaestus-core",) if name == "memory" else ("hephaestus-core", f"hephaestus-{name}")
