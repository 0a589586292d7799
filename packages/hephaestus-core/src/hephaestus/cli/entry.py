"""Where the command begins, and how it ends: with a status, and one line for what went wrong."""

import sys
from collections.abc import Sequence

_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say, and return the exit status.

    It is 0 where all went well, 1 where something failed or was found, and 2 where the arguments
    make no sense.
    """
    try:
        import click
    except ModuleNotFoundError:
        return _complain('this command needs more: pip install "hephaestus-core[cli]"')

    from hephaestus.cli.commands import hephaestus
    from hephaestus.cli.place import described

    try:
        status = hephaestus.main(
            None if arguments is None else list(arguments),
            prog_name="hephaestus",
            standalone_mode=False,
        )
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return error.exit_code
    except click.UsageError as error:
        hint = f"; see {error.ctx.command_path} --help" if error.ctx is not None else ""
        return _complain(f"{error.format_message().rstrip('.')}{hint}", error.exit_code)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _complain("stopped")
    except Exception as error:  # noqa: BLE001  # a shell shows one line, whatever it is
        return _complain(described(error))
    return status if isinstance(status, int) else 0


def _complain(what: str, status: int = _FAILED) -> int:
    sys.stderr.write(f"error: {' '.join(what.split())}\n")
    return status
