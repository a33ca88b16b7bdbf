"""``subtalar bench``: one file a theme."""

import click

from subtalar.cli.bench.accuracy import accuracy, peers
from subtalar.cli.bench.devices import adversity, codecs, faults, hours, radio
from subtalar.cli.bench.sessions import batch, damage, kill, recorder
from subtalar.cli.bench.speed import SPEED, measure_speed
from subtalar.cli.bench.telling import json_option


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def bench(context: click.Context, *, as_json: bool) -> None:
    """Measure on this machine: speed and memory where no NAME is given, or what NAME says."""
    if context.invoked_subcommand is None:
        measure_speed((), as_json=as_json)
    elif as_json:
        raise click.UsageError(f"--json comes after {context.invoked_subcommand}")


for command in (*SPEED, accuracy, peers, codecs, faults, radio, adversity, hours, recorder, kill, damage, batch):
    bench.add_command(command)
