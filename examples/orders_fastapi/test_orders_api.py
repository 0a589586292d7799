"""The service, over HTTP, in memory and on Postgres."""

from collections.abc import AsyncIterator

import pytest
from httpx import ASGITransport, AsyncClient
from orders import Order
from orders_api import api, lifespan

from hephaestus.testing import Harness
from hephaestus_postgres import PostgresStorage


@pytest.fixture(params=["memory", "postgres"])
async def client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncClient]:
    if request.param == "postgres":
        url = request.getfixturevalue("database")
        monkeypatch.setenv("DATABASE_URL", url)
        storage = PostgresStorage(url)
        await storage.migrate()
        await storage.open()
        await storage.close()
    async with (
        lifespan(api),
        AsyncClient(transport=ASGITransport(api), base_url="http://shop") as client,
    ):
        yield client


async def test_a_webhook_resumes_an_order(client: AsyncClient) -> None:
    number = (await client.post("/orders", json={"item": "tea", "quantity": 2})).json()["order"]
    delivery = {"delivery": "d-1", "order": number, "receipt": "r-1"}

    answers = [await client.post("/webhooks/payments", json=delivery) for _ in range(2)]
    await api.state.hephaestus.wait(f"orderid::{number}", timeout=10)
    answers.append(await client.post("/webhooks/payments", json=delivery))

    order = (await client.get(f"/orders/{number}")).json()
    assert [204, 204, 204] == [answer.status_code for answer in answers]
    assert ("completed", "r-1") == (order["status"], order["result"]["receipt"])


async def test_money_for_an_order_that_was_given_up_is_told(client: AsyncClient) -> None:
    number = (await client.post("/orders", json={"item": "tea"})).json()["order"]
    await client.delete(f"/orders/{number}")
    delivery = {"delivery": "d-2", "order": number, "receipt": "r-2"}

    assert 409 == (await client.post("/webhooks/payments", json=delivery)).status_code


async def test_what_nobody_wants_is_cancelled(client: AsyncClient) -> None:
    number = (await client.post("/orders", json={"item": "tea"})).json()["order"]

    assert 204 == (await client.delete(f"/orders/{number}")).status_code
    assert 409 == (await client.delete(f"/orders/{number}")).status_code
    assert 404 == (await client.get("/orders/0")).status_code


async def test_an_order_that_nobody_pays_releases_what_it_reserved() -> None:
    harness = Harness(Order)
    await harness.run({"item": "tea", "quantity": 2})

    order = await harness.advance(3 * 86_400)

    assert {"released": 2} == order.result
