"""``subtalar bench NAME``: the names beside those that every installation has; one file a theme."""

import click

from subtalar_bench.commands.accuracy import accuracy, peers
from subtalar_bench.commands.devices import adversity, codecs, faults, hours, radio
from subtalar_bench.commands.sessions import batch, damage, kill, recorder

COMMANDS: tuple[click.Command, ...] = (
    *(accuracy, peers, codecs, faults, radio, adversity, hours),
    *(recorder, kill, damage, batch),
)
