"""The site: `flask --app signup_web run`."""

import os
from typing import Any
from uuid import uuid4

from flask import Flask, request
from signup import SignUp

from hephaestus import Hephaestus, InstanceFinished, InstanceNotFound, InvalidArgument
from hephaestus.blocking import BlockingHephaestus


def new_app() -> Hephaestus:
    """Make the app; each process of the server makes its own."""
    url = os.environ.get("DATABASE_URL")
    if url is None:
        return Hephaestus()
    from hephaestus_postgres import PostgresStorage

    return Hephaestus(PostgresStorage(url))


site = Flask(__name__)
hephaestus = BlockingHephaestus(new_app, timeout=5)


@site.post("/signups")
def sign_up() -> tuple[dict[str, str], int]:
    """Start a sign-up; the link that is mailed ends with its token."""
    token = uuid4().hex
    hephaestus.start(SignUp, token, {"email": request.form["email"], "token": token})
    return {"token": token}, 202


@site.get("/confirm/<token>")
def confirm(token: str) -> dict[str, Any]:
    """Take the confirmation, and wait for the account."""
    hephaestus.resume(f"signupid::{token}", "confirmed", dedup_key=token)
    return dict(hephaestus.result(f"signupid::{token}", timeout=10))


@site.get("/signups/<token>")
def show(token: str) -> dict[str, Any]:
    """Say how far a sign-up is."""
    signup = hephaestus.get(f"signupid::{token}")
    return {"status": signup.status, "result": signup.result}


@site.errorhandler(InstanceNotFound)
@site.errorhandler(InvalidArgument)
def not_found(error: Exception) -> tuple[dict[str, str], int]:
    """Answer for tokens that nobody has."""
    return {"detail": str(error)}, 404


@site.errorhandler(InstanceFinished)
def too_late(error: Exception) -> tuple[dict[str, str], int]:
    """Answer for a link that was used, or is too old."""
    return {"detail": str(error)}, 409
