"""Processes that do one thing at the same time."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

TESTS = Path(__file__).parent.parent
SIZE = 4


class AllDo(Protocol):
    """Lets every process do a job at once, and returns their results."""

    async def __call__(self, job: str, *each: dict[str, Any], **arguments: Any) -> list[Any]:
        """Give each process its own arguments, if any, and all of them the others."""
        ...


@pytest.fixture(scope="session")
def crowd() -> Iterator[list["subprocess.Popen[str]"]]:
    """Return processes that wait for jobs."""
    path = os.pathsep.join([str(TESTS), *sys.path])
    members = [
        subprocess.Popen(
            [sys.executable, "-m", "crowd.member"],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for _ in range(SIZE)
    ]
    yield members
    for member in members:
        member.communicate()


@pytest.fixture
def all_do(crowd: list["subprocess.Popen[str]"], postgres_url: str, postgres_schema: str) -> AllDo:
    """Return what lets every process do a job on the tables of this test."""

    async def do(job: str, *each: dict[str, Any], **arguments: Any) -> list[Any]:
        jobs = [
            {
                "url": postgres_url,
                "schema": postgres_schema,
                "job": job,
                "arguments": {**arguments, **own},
            }
            for own in each or ({},) * len(crowd)
        ]
        return await asyncio.to_thread(_done, crowd, jobs)

    return do


def _done(crowd: list["subprocess.Popen[str]"], jobs: list[dict[str, Any]]) -> list[Any]:
    _tell(crowd, [json.dumps(job) for job in jobs])
    assert ["ready"] * SIZE == _answers(crowd)
    _tell(crowd, ["go"] * SIZE)
    answers = _answers(crowd)
    assert [] == [answer["error"] for answer in answers if "error" in answer]
    return [answer["result"] for answer in answers]


def _tell(crowd: list["subprocess.Popen[str]"], lines: list[str]) -> None:
    for member, line in zip(crowd, lines, strict=True):
        assert member.stdin is not None
        member.stdin.write(f"{line}\n")
        member.stdin.flush()


def _answers(crowd: list["subprocess.Popen[str]"]) -> list[Any]:
    pipes: list[Callable[[], str]] = []
    for member in crowd:
        assert member.stdout is not None
        pipes.append(member.stdout.readline)
    return [json.loads(readline()) for readline in pipes]
