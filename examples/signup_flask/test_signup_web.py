"""The site, with Flask's test client."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from signup import outbox
from signup_web import hephaestus, site


@pytest.fixture(scope="session")  # a door that was closed stays closed
def client() -> Iterator[FlaskClient]:
    yield site.test_client()
    hephaestus.close()


def test_a_confirmed_address_gets_an_account(client: FlaskClient) -> None:
    signed_up = client.post("/signups", data={"email": "ada@example.org"})
    token = signed_up.get_json()["token"]
    hephaestus.wait(f"signupid::{token}", timeout=10, until="waiting")

    confirmed = client.get(f"/confirm/{token}")

    assert 202 == signed_up.status_code
    assert ("ada@example.org", f"/confirm/{token}") in outbox
    assert {"account": "ada"} == confirmed.get_json()
    assert "completed" == client.get(f"/signups/{token}").get_json()["status"]


def test_a_link_works_once(client: FlaskClient) -> None:
    token = client.post("/signups", data={"email": "bob@example.org"}).get_json()["token"]

    answers = [client.get(f"/confirm/{token}").status_code for _ in range(2)]

    assert [200, 409] == answers


def test_a_link_of_nobody_is_not_found(client: FlaskClient) -> None:
    assert 404 == client.get("/confirm/abc").status_code
    assert 404 == client.get("/confirm/ABC").status_code
