"""This project: one file for each kind of job."""

from bench.contenders.hephaestus import crash, fan, finished, line, waiting

CONTENDERS = (
    *line.CONTENDERS,
    *fan.CONTENDERS,
    *crash.CONTENDERS,
    *waiting.CONTENDERS,
    *finished.CONTENDERS,
)
