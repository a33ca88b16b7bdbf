"""``subtalar bench recorder``, ``kill``, ``damage`` and ``batch``: recordings, under force and in great number."""

import os

import click

from subtalar.cli.estimator_setup import prepare_estimator
from subtalar.cli.option_types import FiniteRange
from subtalar.cli.output import json_option, print_results
from subtalar.errors import SubtalarError

_how_many = click.option("--n", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many.")
_seed = click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="The first seed.")
_minutes = click.option(
    "--minutes", type=FiniteRange(0.05, 600), default=1.0, show_default=True, help="Length of the live session."
)


@click.command()
@_minutes
@json_option
def recorder(*, minutes: float, as_json: bool) -> None:
    """What recording costs, and how soon an hour opens again."""
    from subtalar.cli.simulation import simulated
    from subtalar_bench.recording import recorder as measure

    prepare_estimator()
    print_results(measure(simulated, 60.0 * minutes), as_json=as_json)


@click.command()
@_how_many
@_seed
@json_option
def kill(*, n: int, seed: int, as_json: bool) -> None:
    """Live sessions and windows ended by force; fails if more is lost than may be."""
    from subtalar.cli.simulation import simulated
    from subtalar_bench.kills import Kill, kills

    def tell(kill: Kill) -> None:
        if kill.problem or not as_json:
            outcome = kill.problem or f"{kill.lost_s:.2f} s lost"
            again = "" if kill.counts else f"; made again, the computer stood still for {kill.still_s:.2f} s"
            click.echo(f"{kill.what} killed after {kill.after_s:.1f} s: {outcome}{again}", err=True)

    prepare_estimator()
    results, wrong = kills(simulated, n, seed, tell)
    print_results(results, as_json=as_json)
    if wrong:
        raise SubtalarError(f"{len(wrong)} trials went wrong.")


@click.command()
@_how_many
@_seed
@_minutes
@json_option
def damage(*, n: int, seed: int, minutes: float, as_json: bool) -> None:
    """A recording cut and overwritten in N places each; fails if more is lost than may be."""
    from subtalar.cli.simulation import simulated
    from subtalar_bench.damage import damage as measure

    prepare_estimator()
    results, wrong = measure(simulated, n, seed, 60.0 * minutes)
    for trial in wrong:
        click.echo(str(trial), err=True)
    print_results(results, as_json=as_json)
    if wrong:
        raise SubtalarError(f"{len(wrong)} trials went wrong.")


@click.command()
@_how_many
@json_option
def batch(*, n: int, as_json: bool) -> None:
    """How well the cores share a batch of N sessions, and a Dask cluster on this computer."""
    from subtalar.cli.simulation import simulated_session
    from subtalar_bench.batch import batch as measure

    prepare_estimator()
    print_results(measure(simulated_session, n, os.cpu_count() or 1), as_json=as_json)
