"""The site, with Flask's test client."""

from collections.abc import Iterator

import pytest
import signup_web
from flask.testing import FlaskClient
from signup import outbox

from hephaestus.blocking import BlockingHephaestus


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[BlockingHephaestus]:
    with BlockingHephaestus(signup_web.new_app, timeout=5) as door:
        monkeypatch.setattr(signup_web, "hephaestus", door)
        yield door


@pytest.fixture
def client(door: BlockingHephaestus) -> FlaskClient:
    return signup_web.site.test_client()


def test_a_confirmed_address_gets_an_account(client: FlaskClient, door: BlockingHephaestus) -> None:
    signed_up = client.post("/signups", data={"email": "ada@example.org"})
    token = signed_up.get_json()["token"]
    door.wait(f"signupid::{token}", timeout=10, until="waiting")

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
