"""One step, in memory."""

import asyncio

from hephaestus import Done, Hephaestus, Workflow, step


@step
async def quote(ctx):
    return {"price": 4 + ctx.initial["grams"] // 500}


class Parcel(Workflow, unique="parcelid"):
    start_step = quote
    transitions = {quote: {"done": Done}}


async def main():
    async with Hephaestus():
        parcel = await Parcel.start("7", {"to": "Ada", "grams": 1200})
        print(parcel.id, await parcel.result(timeout=10))


if __name__ == "__main__":
    asyncio.run(main())
