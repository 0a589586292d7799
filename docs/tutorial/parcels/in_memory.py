"""A parcel from its quote to its end, in one process."""

import asyncio

from parcels import Parcel

from hephaestus import Hephaestus


async def main():
    async with Hephaestus():
        parcel = await Parcel.start("7", {"to": "Ada", "grams": 1200})
        waiting = await parcel.wait(until="waiting", timeout=10)
        print(waiting.status, waiting.context.steps)

        await Parcel.resume("7", "paid", {"receipt": "r-1"})
        done = await parcel.wait(timeout=10)
        print(done.status, done.result)

        for entry in done.execution_history:
            print("  ", entry.action, entry.step, entry.error.message if entry.error else "")


if __name__ == "__main__":
    asyncio.run(main())
