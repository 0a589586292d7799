"""The command and its verbs."""

import click

from hephaestus.__about__ import __version__
from hephaestus.cli.check import check
from hephaestus.cli.graph import graph
from hephaestus.cli.runs import list_runs, show
from hephaestus.cli.steering import cancel, resume, retry
from hephaestus.cli.target import takes_app_first
from hephaestus.cli.upkeep import migrate, prune
from hephaestus.cli.worker import run


@click.group(
    commands=[graph, check, list_runs, show, resume, cancel, retry, prune, migrate, run],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@takes_app_first
@click.version_option(__version__, message="hephaestus-core %(version)s")
def hephaestus() -> None:
    """Workflows and their runs.

    The app is found by --app module:attribute or the variable HEPHAESTUS_APP. Nothing but `run`
    executes a step. The status is 0 where all is well, 1 where something failed or was found, and
    2 where the arguments make no sense.
    """
