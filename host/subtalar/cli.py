"""The command line. Heavy parts are imported inside the command that needs them, so ``--help`` is instant."""

import sys

import click

from subtalar import __version__
from subtalar.errors import SubtalarError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="subtalar")
def cli() -> None:
    """Ankle angles from two inertial sensors a leg, live and from recordings."""


def main(argv: list[str] | None = None) -> None:
    """Run one command. Exit status: 0 success, 2 wrong usage, 1 a failure told in one sentence on stderr."""
    try:
        cli.main(args=argv, prog_name="subtalar", standalone_mode=True)
    except SubtalarError as error:
        click.echo(f"subtalar: {error}", err=True)
        sys.exit(1)
