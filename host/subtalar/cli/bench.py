"""``subtalar bench``."""

import json
import os
from functools import partial
from pathlib import Path

import click

from subtalar.cli.bench_recording import RECORDING_BENCHES, bench_recording
from subtalar.cli.numbers import FiniteRange
from subtalar.cli.preparing import prepare_estimator
from subtalar.errors import SubtalarError

_SPEED = ("all", "estimator", "memory", "latency")
_ACCURACY = ("accuracy", "peers")
_RADIO_DEVICE = "talus"  # its losses can be counted, at 200 Hz
_FAULTS = "faults"
_HOURS = "hours"
_ADVERSITY = "adversity"


@click.command()
@click.argument(
    "name",
    type=click.Choice(
        [*_SPEED, *_ACCURACY, "radio", "codecs", _FAULTS, _ADVERSITY, _HOURS, "batch", *RECORDING_BENCHES]
    ),
    default="all",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("../shared/data"),
    show_default=True,
    help="Folder of recordings with truth, for accuracy and peers.",
)
@click.option(
    "--minutes",
    type=FiniteRange(0.05, 600),
    default=1.0,
    show_default=True,
    help="How long, for radio, recorder and damage.",
)
@click.option(
    "--mutations",
    type=click.IntRange(1, 100_000_000),
    default=100_000,
    show_default=True,
    help="Damaged frames a codec, for codecs.",
)
@click.option(
    "--only", multiple=True, metavar="NAME", help="Measure only this part of accuracy or adversity; may be repeated."
)
@click.option(
    "--write",
    "documents",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Put the figures into this document as well; may be repeated.",
)
@click.option(
    "--n",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="How many, for faults, batch, kill and damage.",
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="The first seed, for faults.")
@click.option("--hours", type=FiniteRange(0.1, 240), default=8.0, show_default=True, help="How long, for hours.")
@click.option(
    "--device", "devices", multiple=True, metavar="NAME", help="Only this model, or walk, for hours; may be repeated."
)
def bench(
    *,
    name: str,
    as_json: bool,
    data: Path,
    minutes: float,
    mutations: int,
    only: tuple[str, ...],
    documents: tuple[Path, ...],
    n: int,
    seed: int,
    hours: float,
    devices: tuple[str, ...],
) -> None:
    """Measure speed and memory on this machine (all), accuracy against truth, other software beside ours (peers), what
    arrives from four Bluetooth sensors and what that costs (radio), or how fast codecs decode and what damage does to
    them (codecs), or how well the cores share a batch of sessions (batch).

    faults runs simulated sensors with random fault scripts, and fails if one of them makes the host crash, leave a
    task or thread behind, or count its samples wrongly.

    kill ends live sessions by force (--n of them), damage cuts and overwrites a recording in --n places each, and both
    fail if more is lost than may be; recorder says what recording costs, and how soon an hour opens again.

    adversity takes ten minutes: live sessions in which the Bluetooth service or the message bus is killed, a plug is
    pulled, a sensor reboots or goes out of range; when that is noticed, and when there are angles again.

    hours runs one leg of each kind of clock for eight hours that pass as fast as they can, and one walk, and fails if
    the sensors of a leg come more than 2 ms apart, a sample is unaccounted for, memory grows or angles get worse.
    """
    if name == _ADVERSITY:
        _adversity(only, as_json=as_json)
    elif name not in _ACCURACY:
        if only or documents:
            raise click.UsageError("--only and --write belong to accuracy and peers (--only to adversity as well).")
        if name == "radio":
            _radio(minutes, as_json=as_json)
        elif name == _FAULTS:
            _faults(n, seed, as_json=as_json)
        elif name == _HOURS:
            _hours(hours, devices, as_json=as_json)
        elif name == "codecs":
            _codecs(mutations, as_json=as_json)
        elif name in RECORDING_BENCHES:
            bench_recording(name, n, seed, minutes, as_json=as_json)
        elif name == "batch":
            _batch(n, as_json=as_json)
        else:
            _speed(name, as_json=as_json)
    else:
        prepare_estimator()
        _accuracy(name, as_json=as_json, data=data, only=only, documents=documents)


def _codecs(mutations: int, *, as_json: bool) -> None:
    from subtalar.bench import render
    from subtalar.bench.codecs import codecs
    from subtalar.cli.simulation import simulated_captures

    results = codecs(simulated_captures, mutations)
    click.echo(json.dumps([r.as_json() for r in results], indent=2) if as_json else render(results))


def _speed(name: str, *, as_json: bool) -> None:
    from subtalar.bench import BENCHES, Bench, render
    from subtalar.cli.simulation import simulated, simulated_session

    chosen: dict[str, Bench] = BENCHES if name == "all" else {name: BENCHES[name]}
    results = []
    for bench_name, run in chosen.items():
        if bench_name != "latency":  # whose window, as any, runs in a process without an estimator
            prepare_estimator()
        if not as_json:
            click.echo(f"measuring {bench_name} …", err=True)
        results.extend(run(simulated_session, simulated))
    click.echo(json.dumps([r.as_json() for r in results], indent=2) if as_json else render(results))


def _radio(minutes: float, *, as_json: bool) -> None:
    from subtalar.bench import render
    from subtalar.bench.radio import in_process, over_bluez
    from subtalar.cli.simulation import no_message_bus, simulated, simulated_behind_bluez

    prepare_estimator()
    if not as_json:
        click.echo("measuring over Bumble …", err=True)
    results = in_process(partial(simulated, 0, "normal", "", _RADIO_DEVICE), minutes)
    if no_message_bus():
        click.echo(f"Left out: BlueZ, because {no_message_bus()}.", err=True)
    else:
        if not as_json:
            click.echo("measuring over BlueZ …", err=True)
        results += over_bluez(partial(simulated_behind_bluez, _RADIO_DEVICE), minutes)
    click.echo(json.dumps([r.as_json() for r in results], indent=2) if as_json else render(results))


def _adversity(only: tuple[str, ...], *, as_json: bool) -> None:
    from subtalar.bench.adversity import CASES, Case, measure
    from subtalar.bench.rendering import as_text
    from subtalar.cli.simulated_trouble import simulated_in_trouble
    from subtalar.cli.simulation import no_message_bus

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
        if not as_json:
            click.echo(f"measuring {case.name} ({case.end_s:g} s) …", err=True)

    table = measure(chosen, simulated_in_trouble, tell)
    click.echo(json.dumps(table.as_json(), indent=2) if as_json else as_text(table))


def _faults(n: int, seed: int, *, as_json: bool) -> None:
    from subtalar.bench import render
    from subtalar.bench.faults import Finding, measure
    from subtalar.cli.simulation import random_trial

    def tell(finding: Finding) -> None:
        click.echo(f"{finding.device} over {finding.transport} with {finding.script}:", err=True)
        for problem in finding.problems:
            click.echo(f"  {problem}", err=True)

    results, wrong = measure(random_trial, n, seed, tell)
    click.echo(json.dumps([r.as_json() for r in results], indent=2) if as_json else render(results))
    if wrong:
        raise SubtalarError(f"{len(wrong)} of {n} trials went wrong.")


def _batch(sessions: int, *, as_json: bool) -> None:
    from subtalar.bench import render
    from subtalar.bench.batch import batch
    from subtalar.cli.simulation import simulated_session

    prepare_estimator()
    results = batch(simulated_session, sessions, os.cpu_count() or 1)
    click.echo(json.dumps([r.as_json() for r in results], indent=2) if as_json else render(results))


def _hours(hours: float, devices: tuple[str, ...], *, as_json: bool) -> None:
    from subtalar.bench import render
    from subtalar.bench.hours import measure
    from subtalar.bench.hours.measure import DEVICES, WALK
    from subtalar.cli.simulation import simulated_day, simulated_session
    from subtalar.protocol.registry import find_model

    prepare_estimator()
    chosen = [d if d == WALK else find_model(d).name for d in devices] or [*DEVICES, WALK]
    results, wrong = measure(simulated_day, simulated_session, chosen, hours)
    click.echo(json.dumps([r.as_json() for r in results], indent=2) if as_json else render(results))
    if wrong:
        raise SubtalarError("; ".join(wrong) + ".")


def _accuracy(name: str, *, as_json: bool, data: Path, only: tuple[str, ...], documents: tuple[Path, ...]) -> None:
    from subtalar.bench.accuracy import MEASUREMENTS, measure, write_tables
    from subtalar.bench.peers import measure as measure_peers
    from subtalar.bench.rendering import as_text

    if name == "peers" and only:
        raise click.UsageError("--only belongs to accuracy.")
    unknown = [n for n in only if n not in MEASUREMENTS]
    if unknown:
        raise click.UsageError(f"--only knows {', '.join(MEASUREMENTS)}, not {unknown[0]}.")
    tables = []
    for table in measure(data, only) if name == "accuracy" else measure_peers(data):
        tables.append(table)
        if not as_json:
            click.echo(as_text(table) + "\n")
    if as_json:
        click.echo(json.dumps([t.as_json() for t in tables], indent=2))
    placed = set().union(*(write_tables(document, tables) for document in documents))
    homeless = [t.key for t in tables if t.key not in placed]
    if documents and homeless:
        click.echo(f"No document has a place for {', '.join(homeless)}: <!-- table NAME --> marks one.", err=True)
