"""A process of a crowd: it does one job after another, each when the gate opens.

Each line of its input is a job; it answers `ready`, waits for a line, and answers the result.
"""

import asyncio
import json
import sys

from crowd.jobs import JOBS
from hephaestus_postgres import PostgresStorage


async def main() -> None:
    """Do jobs until there are no more."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        storage = PostgresStorage(asked["url"], schema=asked["schema"])
        await storage.open()
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        try:
            answer: object = {"result": await JOBS[asked["job"]](storage, **asked["arguments"])}
        except Exception as error:  # noqa: BLE001  # the test raises it
            answer = {"error": repr(error)}
        await storage.close()
        _say(answer)


def _say(answer: object) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201  # to the test


if __name__ == "__main__":
    asyncio.run(main())
