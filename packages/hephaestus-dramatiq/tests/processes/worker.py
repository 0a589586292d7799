"""What `dramatiq processes.worker` imports, and nothing more."""

import os

import dramatiq

import processes.shop  # noqa: F401  # it defines the workflows
from processes.plumbing import make_app

app = make_app(os.environ)
dramatiq.set_broker(app.runner.broker)  # type: ignore[attr-defined]  # it is a DramatiqRunner
