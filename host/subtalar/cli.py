"""The command line. Heavy parts are imported inside the command that needs them, so ``--help`` is instant."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from subtalar import __version__
from subtalar.errors import InputError, SubtalarError

if TYPE_CHECKING:
    from subtalar.acquisition.plan import AcquisitionPlan, Source
    from subtalar.acquisition.process import Outcome

_SECONDS = click.FloatRange(min=0, min_open=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="subtalar")
def cli() -> None:
    """Ankle angles from two inertial sensors a leg, live and from recordings."""


# live ------------------------------------------------------------------------------------------------------


@cli.command()
@click.option("--simulate", is_flag=True, help="Four simulated sensors over simulated Bluetooth.")
@click.option("--replay", metavar="SESSION", help="Play a recording or any other session as if it were live.")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="SPEC",
    help="A sensor, such as right_foot=ble:AA:BB:CC:DD:EE:FF; once for each sensor.",
)
@click.option("--attach", is_flag=True, help="Show a session that is already running, after its window was lost.")
@click.option("--headless", is_flag=True, help="Show the session in the terminal; the default without a display.")
@click.option("--duration", "duration_s", type=_SECONDS, metavar="S", help="End by itself after so many seconds.")
@click.option("--record", "record", metavar="PATH", help="Record into this file instead of a new one in ~/subtalar.")
@click.option("--no-record", is_flag=True, help="Do not record.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Of a replay; 0 = as fast as possible.",
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Of the simulation.")
@click.option(
    "--style",
    type=click.Choice(["normal", "overpronated", "antalgic"]),
    default="normal",
    show_default=True,
    help="How the simulated person walks.",
)
@click.option("--truth", metavar="PATH", help="Write the simulation's true angles to this .csv.gz file.")
def live(
    *,
    simulate: bool,
    replay: str | None,
    devices: tuple[str, ...],
    attach: bool,
    headless: bool,
    duration_s: float | None,
    record: str | None,
    no_record: bool,
    speed: float,
    seed: int,
    style: str,
    truth: str | None,
) -> None:
    """Run a live session: connect, show the three ankle angles of both legs, and record.

    Say where the samples come from: --simulate, --replay or --device. Stand still for three seconds, bend the knees
    two or three times, then walk. The session is recorded unless it is a replay; where, is shown and printed.
    """
    if sum((simulate, replay is not None, bool(devices), attach)) != 1:
        raise click.UsageError("say where the samples come from: one of --simulate, --replay SESSION, --device SPEC")
    if attach:
        _attach(headless=headless)
        return
    if truth is not None and not simulate:
        raise click.UsageError("--truth needs --simulate: only a simulation knows the true angles")
    if record is not None and no_record:
        raise click.UsageError("--record and --no-record exclude each other")
    from subtalar.acquisition.plan import AcquisitionPlan

    source, text = _live_source(simulate, replay, devices, speed, seed, style)
    plan = AcquisitionPlan(
        source,
        text,
        _recording_path(record, wanted=not no_record and (replay is None or record is not None)),
        duration_s,
        None if truth is None else _writable(truth),
    )
    _run_live(plan, headless=headless, ends_by_itself=duration_s is not None or replay is not None)


def _live_source(
    simulate: bool, replay: str | None, devices: tuple[str, ...], speed: float, seed: int, style: str
) -> "tuple[Source, str]":
    from functools import partial

    from subtalar.acquisition.plan import DeviceSource, ProvidedSource, ReplaySource

    if simulate:
        return ProvidedSource(partial(_simulated, seed, style)), f"simulated sensors (seed {seed}, {style})"
    if replay is not None:
        from subtalar.session import open_session

        session = open_session(replay)  # what is wrong with it is said before anything is started
        return ReplaySource(session.path, speed), f"replay of {session.path.name}"
    from subtalar.transport import parse_spec

    specs = tuple(parse_spec(text) for text in devices)
    return DeviceSource(specs), f"{len(specs)} sensors"


def _simulated(seed: int, style: str) -> Any:
    """Open the simulated hardware; runs in the acquisition process."""
    try:
        from subtalar_sim.body import BodyConfig
        from subtalar_sim.config import SimulationConfig
        from subtalar_sim.serve.live import simulated_hardware
    except ImportError as error:
        raise _missing(error, "sim") from None
    body = BodyConfig(seed=seed, style=style, walking_s=12 * 3600.0)
    return simulated_hardware(SimulationConfig(body=body))


def _recording_path(record: str | None, *, wanted: bool) -> Path | None:
    if not wanted:
        return None
    if record is not None:
        return _writable(record)
    from datetime import datetime

    from subtalar.session import default_recording_path

    return default_recording_path(datetime.now().astimezone())


def _writable(path: str) -> Path:
    chosen = Path(path).expanduser().absolute()
    if not chosen.parent.is_dir():
        raise InputError(f"The folder {chosen.parent} does not exist: make it, or choose another path.")
    if chosen.is_dir():
        raise InputError(f"{chosen} is a folder: give the name of a file in it.")
    return chosen


def _run_live(plan: "AcquisitionPlan", *, headless: bool, ends_by_itself: bool) -> None:
    from subtalar.acquisition.process import start_acquisition
    from subtalar.dashboard import run_dashboard, run_terminal

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    acquisition = start_acquisition(plan)
    view_failed: SubtalarError | None = None
    try:
        with contextlib.suppress(KeyboardInterrupt):
            if headless or not _has_display():
                run_terminal(acquisition.ring_name, acquisition)
            else:
                try:
                    run_dashboard(acquisition.ring_name, acquisition, close_when_ended=ends_by_itself)
                except InputError:
                    raise
                except SubtalarError as error:
                    click.echo(f"subtalar: {error} Going on in the terminal.", err=True)
                    run_terminal(acquisition.ring_name, acquisition)
    except SubtalarError as error:
        view_failed = error
    finally:
        outcome = acquisition.close()
    _tell(outcome)
    if view_failed is not None:
        raise view_failed


def _attach(*, headless: bool) -> None:
    """Show the newest session that runs on this computer."""
    from subtalar.acquisition.process import running_session
    from subtalar.dashboard import run_dashboard, run_terminal

    ring_name, control = running_session()
    with contextlib.suppress(KeyboardInterrupt):
        if headless or not _has_display():
            run_terminal(ring_name)
        else:
            run_dashboard(ring_name, control)


def _tell(outcome: "Outcome") -> None:
    if outcome.recording_path:
        click.echo(f"Recorded: {outcome.recording_path}")
    if outcome.recording_error:
        raise SubtalarError(outcome.recording_error)
    if outcome.error:
        raise SubtalarError(outcome.error)


def _has_display() -> bool:
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


# analyze and sessions --------------------------------------------------------------------------------------


@cli.command()
@click.argument("session")
@click.option("--out", "out_dir", required=True, metavar="DIR", help="Folder for the tables and the report.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def analyze(session: str, out_dir: str, *, quiet: bool) -> None:
    """Run the estimator over a SESSION and write angles.csv, strides.csv, summary.json and report.html.

    SESSION is a recording made by subtalar, a raw session folder, or a folder of Xsens MT Manager text exports with
    its sensorspec.json.
    """
    try:
        from subtalar.report.command import analyze_command
    except ImportError as error:
        raise _missing(error, "report") from None
    analyze_command(session, out_dir, quiet)


@cli.group()
def session() -> None:
    """Look at recordings, check them, and save what a crash left."""


@session.command()
@click.argument("session_path", metavar="SESSION")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(session_path: str, *, as_json: bool) -> None:
    """Tell what a SESSION holds: duration, sensors, strides, lost samples."""
    from subtalar.session import session_info

    facts = session_info(session_path)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    from subtalar.session.info_text import info_lines

    for line in info_lines(facts):
        click.echo(line)


@session.command()
@click.argument("file")
@click.option("--out", "out", required=True, metavar="FILE2", help="The new recording; must not exist.")
def recover(file: str, out: str) -> None:
    """Make a clean recording of what can be read from a damaged or unfinished FILE; FILE is not touched."""
    from subtalar.session import recover as recover_recording

    click.echo(recover_recording(file, out).text)


@session.command()
@click.argument("session_path", metavar="SESSION")
def verify(session_path: str) -> None:
    """Check every byte of a SESSION. Exit status 0 when it is whole, 1 when it is not."""
    from subtalar.session import verify as verify_session

    report = verify_session(session_path)
    if report.status != "ok":
        raise SubtalarError(report.text)
    click.echo(report.text)


# simulated hardware and benchmarks -------------------------------------------------------------------------


@cli.group()
def sim() -> None:
    """Simulated sensors for trying things out and for tests."""


@sim.command()
@click.option("--device", type=click.Choice(["ximu3", "witmotion"]), required=True, help="Which sensor to simulate.")
@click.option("--transport", type=click.Choice(["pty", "tcp", "ble"]), help="How it is reached.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="First TCP port; 0 = any free ones.")
@click.option("--duration", "duration_s", type=_SECONDS, metavar="S", help="End after so many seconds.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
@click.option("--speed", type=_SECONDS, default=1.0, show_default=True, help="Faster or slower than life.")
def serve(device: str, transport: str | None, port: int, duration_s: float | None, seed: int, speed: float) -> None:
    """Serve simulated sensors of both legs and print where to connect, one device spec a line."""
    try:
        from subtalar_sim.serve.command import serve as serve_simulated
    except ImportError as error:
        raise _missing(error, "sim") from None
    try:
        serve_simulated(device, transport, port=port, duration_s=duration_s, seed=seed, speed=speed, say=_say_now)
    except (ValueError, OSError) as error:
        raise InputError(f"The simulated sensors cannot be served: {error}.") from None


def _say_now(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


@cli.command()
@click.argument("name", type=click.Choice(["all", "estimator", "memory", "latency"]), default="all")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench(name: str, *, as_json: bool) -> None:
    """Measure speed on this machine: estimator throughput, memory of a long session, latency to the screen."""
    from subtalar.bench import BENCHES, Bench, render

    chosen: dict[str, Bench] = BENCHES if name == "all" else {name: BENCHES[name]}
    results = []
    for bench_name, run in chosen.items():
        if not as_json:
            click.echo(f"measuring {bench_name} …", err=True)
        results.extend(run(_simulated_session, _simulated))
    click.echo(json.dumps([r.as_json() for r in results], indent=2) if as_json else render(results))


def _simulated_session(folder: Path, seconds: float) -> Path:
    """A raw session of four simulated sensors at 200 Hz."""
    from subtalar_sim.body import BodyConfig
    from subtalar_sim.config import SimulationConfig
    from subtalar_sim.session_writer import write_session

    return write_session(SimulationConfig(body=BodyConfig(seed=1), device="ximu3"), folder, seconds)


def _missing(error: ImportError, extra: str) -> SubtalarError:
    return SubtalarError(
        f"This needs the package {error.name}, which is not installed: run `pip install 'subtalar[{extra}]'`."
    )


def main(argv: list[str] | None = None) -> None:
    """Run one command. Exit status: 0 success, 2 wrong usage, 1 a failure told in one sentence on stderr."""
    run: Callable[..., Any] = cli.main
    try:
        run(args=argv, prog_name="subtalar", standalone_mode=True)
    except SubtalarError as error:
        click.echo(f"subtalar: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has had enough; Python would complain again while flushing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
