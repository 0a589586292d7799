"""A worker of an earlier release, which does not know the shop's workflows."""

import os

import dramatiq

from processes.plumbing import make_app

app = make_app(os.environ)
dramatiq.set_broker(app.runner.broker)  # type: ignore[attr-defined]  # it is a DramatiqRunner
