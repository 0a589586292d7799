"""What a contender does to a server between its marks: commits, WAL, round trips."""

import time
from dataclasses import replace
from types import TracebackType
from typing import Self

from bench.backends import execute
from bench.contract import Setting
from bench.relay import Relay

COMMITS = "commits"
WAL = "bytes of WAL"
ROUND_TRIPS = "round trips"

_COMMITS = """\
SELECT count(*) AS commits FROM pg_get_wal_records_info('{begin}', '{end}')
WHERE resource_manager = 'Transaction' AND record_type LIKE 'COMMIT%'"""


class Watch:
    """Counts on the database, or on the Redis where there is no database.

    Commits are those in the WAL: a transaction that writes nothing makes none, and waits for no
    disk.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._postgres = setting.postgres
        self._relay = Relay(setting.postgres or setting.redis)
        self.figures: dict[str, float] = {}

    @property
    def setting(self) -> Setting:
        """The setting for those who are watched."""
        if self._postgres:
            return replace(self._setting, postgres=self._relay.url)
        return replace(self._setting, redis=self._relay.url)

    def mark(self, where: str, *, per: float, of: str) -> None:
        """Take note at a mark: everybody stands still."""
        if self._postgres and where == "begin":
            execute(self._postgres, "CREATE EXTENSION IF NOT EXISTS pg_walinspect")
        lsn = self._flushed() if self._postgres else ""
        if where == "begin":
            self._begin, self._trips = lsn, self._relay.round_trips
            return
        self.figures[f"{of}{ROUND_TRIPS}"] = (self._relay.round_trips - self._trips) / per
        if self._postgres:
            commits = execute(self._postgres, _COMMITS.format(begin=self._begin, end=lsn))
            wal = execute(self._postgres, f"SELECT '{lsn}'::pg_lsn - '{self._begin}' AS bytes")
            self.figures[f"{of}{COMMITS}"] = commits[0]["commits"] / per
            self.figures[f"{of}{WAL}"] = float(wal[0]["bytes"]) / per

    def _flushed(self) -> str:
        """Return where the WAL ends; what was committed without waiting is written soon."""
        ends = "SELECT pg_current_wal_insert_lsn()::text AS inserted"
        flushed = "SELECT pg_current_wal_flush_lsn() >= '{}'::pg_lsn AS done"
        end = str(execute(self._postgres, ends)[0]["inserted"])
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if execute(self._postgres, flushed.format(end))[0]["done"]:
                break
            time.sleep(0.05)
        return end

    def __enter__(self) -> Self:
        self._relay.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._relay.__exit__(kind, error, traceback)
