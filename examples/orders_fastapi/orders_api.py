"""The service: `uvicorn orders_api:api`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from orders import Order
from pydantic import BaseModel

from hephaestus import Hephaestus, InstanceFinished, InstanceNotFound, InvalidArgument
from hephaestus.storage import Storage


def new_storage() -> Storage | None:
    """Return what DATABASE_URL names; without it runs live in memory."""
    url = os.environ.get("DATABASE_URL")
    if url is None:
        return None
    from hephaestus_postgres import PostgresStorage

    return PostgresStorage(url)


@asynccontextmanager
async def lifespan(api: FastAPI) -> AsyncIterator[None]:
    """Keep the app open as long as the service runs."""
    async with Hephaestus(new_storage()) as api.state.hephaestus:
        yield


api = FastAPI(title="Orders", lifespan=lifespan)


class NewOrder(BaseModel):
    """The body of `POST /orders`."""

    item: str
    quantity: int = 1


class Payment(BaseModel):
    """What the payment provider sends; it may send it twice, and before we expect it."""

    delivery: str
    order: str
    receipt: str


@api.post("/orders", status_code=202)
async def place(order: NewOrder) -> dict[str, str]:
    """Start an order; it is stored when this returns."""
    number = uuid4().hex
    await Order.start(number, order.model_dump())
    return {"order": number}


@api.get("/orders/{number}")
async def show(number: str) -> dict[str, Any]:
    """Say how far an order is."""
    order = await Order.get(number)
    return {
        "status": order.status,
        "waits_for": sorted(order.waiting_steps),
        "result": order.result,
    }


@api.post("/webhooks/payments", status_code=204)
async def payment(sent: Payment) -> None:
    """Resume the order; the provider repeats a delivery until this has returned."""
    try:
        await Order.resume(sent.order, "paid", {"receipt": sent.receipt}, dedup_key=sent.delivery)
    except InstanceFinished:
        order = await Order.get(sent.order)
        if order.context.steps.get("paid", {}).get("receipt") != sent.receipt:
            raise  # money for an order that was given up


@api.delete("/orders/{number}", status_code=204)
async def cancel(number: str) -> None:
    """Stop an order that nobody wants any more."""
    await Order.cancel(number)


@api.exception_handler(InstanceNotFound)
@api.exception_handler(InvalidArgument)
async def not_found(request: object, error: Exception) -> JSONResponse:
    """Answer for numbers that no order has, or could have."""
    return JSONResponse({"detail": str(error)}, status_code=404)


@api.exception_handler(InstanceFinished)
async def too_late(request: object, error: Exception) -> JSONResponse:
    """Answer for orders that have ended."""
    return JSONResponse({"detail": str(error)}, status_code=409)
