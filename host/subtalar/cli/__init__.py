"""The command line. Heavy parts are imported inside the command that needs them, so ``--help`` is instant."""

import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any

import click

from subtalar import __version__
from subtalar.cli.batch import batch
from subtalar.cli.bench import bench
from subtalar.cli.catalogue import participant
from subtalar.cli.compare import compare
from subtalar.cli.completion import completion
from subtalar.cli.devices import devices
from subtalar.cli.export import export
from subtalar.cli.hardware import sim
from subtalar.cli.live import live
from subtalar.cli.places import show_recordings
from subtalar.cli.recordings import join, salvage, trim
from subtalar.cli.report import report
from subtalar.cli.sessions import analyze, session
from subtalar.cli.whole_help import WholeHelpGroup
from subtalar.errors import SubtalarError


@click.group(cls=WholeHelpGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="subtalar")
def cli() -> None:
    """Ankle angles from two inertial sensors a leg, live and from recordings."""


for command in (live, report, analyze, show_recordings, batch, export, session, participant, devices, sim, bench):
    cli.add_command(command)
for command in (salvage, trim, join, compare):
    session.add_command(command)
cli.add_command(completion)


def main(argv: list[str] | None = None) -> None:
    """Run one command. Exit status: 0 success, 2 wrong usage, 1 a failure told in one sentence on stderr."""
    _print_whatever_the_terminal_knows()
    before = os.umask(0o077)  # people's measurements and notes are nobody else's to read
    try:
        _run(argv)
    finally:
        os.umask(before)


def _run(argv: list[str] | None) -> None:
    run: Callable[..., Any] = cli.main
    try:
        # Not click's own standalone mode: that says "Aborted!" where a sentence is due.
        status = run(args=argv, prog_name="subtalar", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("subtalar: Stopped before it was finished.", err=True)
        sys.exit(1)
    except SubtalarError as error:
        click.echo(f"subtalar: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # whoever read our output has had enough
        _silence_output()
        sys.exit(1)
    except OSError as error:
        click.echo(
            f"subtalar: {error.filename or 'The output'} cannot be written or read ({error.strerror}).", err=True
        )
        _silence_output()
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _print_whatever_the_terminal_knows() -> None:
    """A terminal without "°" or a letter of a file's name shows "?" there, and loses no result."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _silence_output() -> None:
    """Python would complain again while flushing at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
