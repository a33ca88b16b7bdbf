"""``subtalar bench codecs``, ``faults``, ``radio``, ``adversity`` and ``hours``: sensors and what befalls them."""

import json
from functools import partial

import click

from subtalar.cli.estimator_setup import prepare_estimator
from subtalar.cli.option_types import FiniteRange
from subtalar.cli.output import json_option, print_results, say
from subtalar.errors import SubtalarError

_RADIO_DEVICE = "talus"  # its losses can be counted, at 200 Hz


@click.command()
@click.option(
    "--mutations",
    type=click.IntRange(1, 100_000_000),
    default=100_000,
    show_default=True,
    help="Damaged frames a codec.",
)
@json_option
def codecs(*, mutations: int, as_json: bool) -> None:
    """How fast codecs decode, and what damage does to them."""
    from subtalar_bench.codecs import codecs as measure
    from subtalar_bench.simulated import simulated_captures

    print_results(measure(simulated_captures, mutations), as_json=as_json)


@click.command()
@click.option("--n", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many scripts.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="The first seed.")
@json_option
def faults(*, n: int, seed: int, as_json: bool) -> None:
    """Simulated sensors with random fault scripts.

    Fails if one of them makes the host crash, leave a task, thread or file behind, or count its samples wrongly.
    """
    from subtalar_bench.faults import FaultRunResult, measure
    from subtalar_bench.simulated import random_trial

    def tell(finding: FaultRunResult) -> None:
        click.echo(f"{finding.device} over {finding.transport} with {finding.script}:", err=True)
        for problem in finding.problems:
            click.echo(f"  {problem}", err=True)

    results, wrong = measure(random_trial, n, seed, tell)
    print_results(results, as_json=as_json)
    if wrong:
        raise SubtalarError(f"{len(wrong)} of {n} trials went wrong.")


@click.command()
@click.option("--minutes", type=FiniteRange(0.05, 600), default=1.0, show_default=True, help="How long, each route.")
@json_option
def radio(*, minutes: float, as_json: bool) -> None:
    """What arrives from four Bluetooth sensors, over Bumble and over BlueZ, and what that costs."""
    from subtalar.cli.simulation import simulated
    from subtalar_bench.radio import in_process, over_bluez
    from subtalar_bench.simulated import no_message_bus, simulated_behind_bluez

    prepare_estimator()
    say("measuring over Bumble …", as_json=as_json)
    results = in_process(partial(simulated, 0, "normal", "", _RADIO_DEVICE), minutes)
    if no_message_bus():
        click.echo(f"Left out: BlueZ, because {no_message_bus()}.", err=True)
    else:
        say("measuring over BlueZ …", as_json=as_json)
        results += over_bluez(partial(simulated_behind_bluez, _RADIO_DEVICE), minutes)
    print_results(results, as_json=as_json)


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Only this event; may be repeated.")
@json_option
def adversity(*, only: tuple[str, ...], as_json: bool) -> None:
    """Live sessions in which something fails; takes ten minutes.

    The Bluetooth service or the message bus is killed, a plug is pulled, a sensor reboots or goes out of range: when
    that is noticed, and when there are angles again.
    """
    from subtalar_bench.adversity import CASES, Case, measure
    from subtalar_bench.rendering import as_text
    from subtalar_bench.simulated import no_message_bus
    from subtalar_bench.simulated_trouble import simulated_in_trouble

    names = [case.name for case in CASES]
    unknown = [n for n in only if n not in names]
    if unknown:
        raise click.UsageError(f"--only knows {', '.join(names)}, not {unknown[0]}.")
    chosen = [case for case in CASES if not only or case.name in only]
    if no_message_bus():
        click.echo(f"Left out: all over BlueZ, because {no_message_bus()}.", err=True)
        chosen = [case for case in chosen if case.route != "BlueZ"]
    prepare_estimator()

    def tell(case: Case) -> None:
        say(f"measuring {case.name} ({case.end_s:g} s) …", as_json=as_json)

    table = measure(chosen, simulated_in_trouble, tell)
    click.echo(json.dumps(table.as_json(), indent=2) if as_json else as_text(table))


@click.command()
@click.option("--hours", "length_h", type=FiniteRange(0.1, 240), default=8.0, show_default=True, help="How long.")
@click.option("--device", "devices", multiple=True, metavar="NAME", help="Only this model, or walk; may be repeated.")
@json_option
def hours(*, length_h: float, devices: tuple[str, ...], as_json: bool) -> None:
    """One leg of each kind of clock, and one walk, for a working day that passes as fast as it can.

    Fails if the sensors of a leg come more than 2 ms apart, a sample is unaccounted for, memory grows or angles get
    worse.
    """
    from subtalar.cli.simulation import simulated_session
    from subtalar.protocol.registry import find_model
    from subtalar_bench.hours import measure
    from subtalar_bench.hours.measure import DEVICES, WALK
    from subtalar_bench.simulated import simulated_day

    prepare_estimator()
    chosen = [d if d == WALK else find_model(d).name for d in devices] or [*DEVICES, WALK]
    results, wrong = measure(simulated_day, simulated_session, chosen, length_h)
    print_results(results, as_json=as_json)
    if wrong:
        raise SubtalarError("; ".join(wrong) + ".")
