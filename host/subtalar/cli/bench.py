"""``subtalar bench``: what every installation can measure, and what comes with a checkout of the project."""

import importlib.util
from importlib import import_module
from typing import Final

import click

from subtalar.cli.output import json_option
from subtalar.cli.speed import SPEED, measure_speed
from subtalar.cli.whole_help import WholeHelpGroup

DEVELOPMENT: Final = "subtalar_bench"
"""The package of the checkout (``tests/bench``) with all other measurements."""
_WITH_A_CHECKOUT: Final = (
    *("accuracy", "peers", "codecs", "faults", "radio", "adversity", "hours", "recorder", "kill", "damage", "batch"),
)


class _Measurements(WholeHelpGroup):
    """Those of the development package are there where it is."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All that can be run here."""
        return sorted({*super().list_commands(ctx), *_development_commands()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """None for what is no measurement."""
        found = super().get_command(ctx, cmd_name) or _development_commands().get(cmd_name)
        if found is None and cmd_name in _WITH_A_CHECKOUT:
            raise click.UsageError(
                f"'{cmd_name}' comes with a checkout of the project and not with the package: "
                f"clone it and run make bench ARGS={cmd_name} there."
            )
        return found


def _development_commands() -> dict[str, click.Command]:
    if importlib.util.find_spec(DEVELOPMENT) is None:
        return {}
    commands: tuple[click.Command, ...] = import_module(f"{DEVELOPMENT}.commands").COMMANDS
    return {command.name or "": command for command in commands}


@click.group(cls=_Measurements, invoke_without_command=True)
@json_option
@click.pass_context
def bench(context: click.Context, *, as_json: bool) -> None:
    """Measure on this machine: speed and memory where no NAME is given, or what NAME says.

    A checkout of the project measures more: accuracy against truth, codecs, radio, recordings and so on (make bench).
    """
    if context.invoked_subcommand is None:
        measure_speed((), as_json=as_json)
    elif as_json:
        raise click.UsageError(f"--json comes after {context.invoked_subcommand}")


for command in SPEED:
    bench.add_command(command)
