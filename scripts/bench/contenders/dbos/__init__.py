"""DBOS: durable functions in PostgreSQL; one file for each kind of job."""

from bench.contenders.dbos import crash, fan, line, waiting

CONTENDERS = (*line.CONTENDERS, *fan.CONTENDERS, *crash.CONTENDERS, *waiting.CONTENDERS)
