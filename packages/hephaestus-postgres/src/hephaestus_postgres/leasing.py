"""Several leases at once, run by run."""

from collections.abc import Sequence
from datetime import datetime

from hephaestus.storage import Lease
from hephaestus_postgres import rows
from hephaestus_postgres.wire import Record


def by_run(leases: Sequence[Lease]) -> tuple[list[str], list[str]]:
    """Return the run ids, and for each its leases as they are stored."""
    runs: dict[str, list[Lease]] = {}
    for lease in leases:
        runs.setdefault(lease.run_id, []).append(lease)
    return list(runs), [rows.leases_text(of_run) for of_run in runs.values()]


def lost(leases: Sequence[Lease], found: Sequence[Record], now: datetime) -> list[Lease]:
    """Return those leases that do not stand in the rows any more."""
    standing = {
        (lease.key, lease.owner.incarnation, lease.number)
        for row in found
        for lease in rows.leases_of(row["run_id"], row["leases"])
        if not lease.released and lease.until > now
    }
    return [
        lease for lease in leases
        if (lease.key, lease.owner.incarnation, lease.number) not in standing
    ]  # fmt: skip
