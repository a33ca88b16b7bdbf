"""Figures, as a table or as JSON."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from subtalar.bench import Result

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_results(results: "Sequence[Result]", *, as_json: bool) -> None:
    """On stdout."""
    from subtalar.bench import render

    click.echo(json.dumps([r.as_json() for r in results], indent=2) if as_json else render(results))


def say(text: str, *, as_json: bool) -> None:
    """What is going on, on stderr; nothing where a program listens."""
    if not as_json:
        click.echo(text, err=True)
