"""Sends orders and waits for them: `python send.py 20`."""

import asyncio
import sys
from uuid import uuid4

from shop_app import app
from workflows import Order


async def main(count: int) -> None:
    async with app:
        orders = [await Order.start(uuid4().hex, {"items": number}) for number in range(count)]
        results = [await order.result(timeout=60) for order in orders]
    print(f"{len(results)} orders, {sum(result['boxes'] for result in results)} boxes")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
