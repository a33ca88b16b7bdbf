"""``subtalar bench all``, ``estimator``, ``memory`` and ``latency``."""

from collections.abc import Sequence

import click

from subtalar.cli.estimator_setup import prepare_estimator
from subtalar.cli.output import json_option, print_results, say


def measure_speed(names: Sequence[str], *, as_json: bool) -> None:
    """The measurements of these names; all of them where there is none."""
    from subtalar.bench import BENCHES
    from subtalar.cli.simulation import simulated, simulated_session

    results = []
    for name in names or BENCHES:
        if name != "latency":  # whose window, as any, runs in a process without an estimator
            prepare_estimator()
        say(f"measuring {name} …", as_json=as_json)
        results.extend(BENCHES[name](simulated_session, simulated))
    print_results(results, as_json=as_json)


@click.command("all")
@json_option
def everything(*, as_json: bool) -> None:
    """Speed, memory and latency; the same as no name."""
    measure_speed((), as_json=as_json)


@click.command()
@json_option
def estimator(*, as_json: bool) -> None:
    """How fast the estimator is, on big blocks and on live-sized ones."""
    measure_speed(("estimator",), as_json=as_json)


@click.command()
@json_option
def memory(*, as_json: bool) -> None:
    """Memory and time of an hour of four sensors."""
    measure_speed(("memory",), as_json=as_json)


@click.command()
@json_option
def latency(*, as_json: bool) -> None:
    """From the arrival of a sample to the painted pixel."""
    measure_speed(("latency",), as_json=as_json)


SPEED = (everything, estimator, memory, latency)
