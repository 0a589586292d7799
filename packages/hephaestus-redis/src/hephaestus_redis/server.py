"""What a server has to be like that keeps workflows: it is asked when a storage is opened."""

import logging
from datetime import UTC, datetime, timedelta

from hephaestus.errors import StorageUnavailable
from hephaestus.storage import check_clock
from hephaestus_redis import script
from hephaestus_redis.failures import STORAGE
from hephaestus_redis.pipeline import Pipeline

_log = logging.getLogger("hephaestus.storage")


async def examine(pipeline: Pipeline, *, require_persistence: bool) -> None:
    """Warn of a server that may lose what it is given, or whose clock is off.

    Raises:
        StorageUnavailable: It cannot be reached, its clock is far off, or it does not persist
            although that is required.
    """
    before = datetime.now(UTC)
    persistence, memory, time = await pipeline.run(script.SERVER, {})
    theirs = datetime.fromtimestamp(int(time[0]), UTC) + timedelta(microseconds=int(time[1]))
    check_clock(STORAGE, theirs, before, datetime.now(UTC))
    faults = [
        *faults_of_disk(_facts(persistence), await _snapshots(pipeline)),
        *faults_of_memory(_facts(memory)),
    ]
    if faults and require_persistence:
        raise StorageUnavailable(STORAGE, f"persistence is required, but {'; '.join(faults)}")
    for fault in faults:
        _log.warning("workflows in this Redis can be LOST: %s", fault)


def faults_of_disk(facts: dict[str, str], snapshots: str | None) -> list[str]:
    """Return what keeps the data from surviving a restart.

    Args:
        facts: What the server says of its persistence.
        snapshots: When it saves snapshots: empty for never, None where it does not say.
    """
    if facts.get("aof_enabled") == "1":
        if facts.get("aof_last_write_status", "ok") != "ok":
            return ["the server cannot write to its append-only file"]
        return []
    if snapshots is None:
        return ["the server has no append-only file, and does not say whether it saves snapshots"]
    if not snapshots:
        return ["the server keeps nothing on disk; set appendonly yes"]
    return []


def faults_of_memory(facts: dict[str, str]) -> list[str]:
    """Return what lets the server drop keys when its memory is full.

    What evicts only keys that expire leaves ours alone: none of them does.
    """
    policy = facts.get("maxmemory_policy", "noeviction")
    if policy.startswith("allkeys-"):
        return [f"its maxmemory-policy {policy} evicts any key; set it to noeviction"]
    return []


async def _snapshots(pipeline: Pipeline) -> str | None:
    try:
        (found,) = await pipeline.ask(("CONFIG", "GET", "save"))
    except StorageUnavailable as error:
        _log.debug("CONFIG cannot be asked: %s", error)
        return None
    values = list(found.values()) if isinstance(found, dict) else found[1::2]
    return None if not values else str(values[0].decode())


def _facts(info: bytes) -> dict[str, str]:
    lines = info.decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
