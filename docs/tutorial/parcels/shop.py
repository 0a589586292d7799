"""The counter: `python shop.py send 7 Ada 1200`, `pay 7 r-1`, `show 7`."""

import asyncio
import sys

from depot import app
from parcels import Parcel


async def send(number, to, grams):
    parcel = await Parcel.start(number, {"to": to, "grams": int(grams)})
    waiting = await parcel.wait(until="waiting", timeout=10)
    print(f"{waiting.id} costs {waiting.context.steps['quote']['price']}")


async def pay(number, receipt):
    await Parcel.resume(number, "paid", {"receipt": receipt}, dedup_key=receipt)
    parcel = await app.wait(f"parcelid::{number}", timeout=10)
    print(parcel.status, parcel.result)


async def show(number):
    parcel = await Parcel.get(number)
    print(f"{parcel.id} is {parcel.status}")


async def main(verb, *arguments):
    async with app:
        await {"send": send, "pay": pay, "show": show}[verb](*arguments)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
