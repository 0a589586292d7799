"""LangGraph: one file for each kind of job."""

from bench.contenders.langgraph import fan, line

CONTENDERS = (*line.CONTENDERS, *fan.CONTENDERS)
