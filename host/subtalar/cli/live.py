"""``subtalar live``."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from subtalar.cli.background_salvage import salvaging
from subtalar.cli.estimator_setup import announce_preparation
from subtalar.cli.missing import missing_package
from subtalar.cli.new_files import recording_path, truth_path
from subtalar.cli.option_types import SECONDS, SUBTALAR_AXIS_HELP, FiniteRange, SubtalarAxisType
from subtalar.cli.simulation import FAULT_HELP, MOTION_HELP, STYLE, check_motion, fault_text, simulated
from subtalar.cli.whole_help import command_line
from subtalar.errors import InputError, SubtalarError

if TYPE_CHECKING:
    from subtalar.acquisition.plan import AcquisitionPlan, Outcome, Source
    from subtalar.acquisition.process import Acquisition
    from subtalar.session import Session


_TWO_SOURCES = "say where the samples come from: one of --simulate, --replay SESSION, --device SPEC"
_NO_SOURCE = (
    "say where the samples come from: no sensor has a place yet, so find them with `subtalar devices scan` and say "
    "with `subtalar devices assign SITE SPEC` where each sits, or give --simulate, --replay SESSION or --device SPEC"
)


@click.command()
@click.option(
    "--simulate",
    is_flag=True,
    help="Four simulated sensors over simulated Bluetooth, on a person who stands until all of them stream.",
)
@click.option("--replay", metavar="SESSION", help="Play a recording or any other session as if it were live.")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="SPEC",
    help="A sensor, such as right_foot=ble:AA:BB:CC:DD:EE:FF, or the place of an assigned one; once for each sensor.",
)
@click.option(
    "--attach",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Show a session that is already running, after its window was lost.",
)
@click.option(
    "--stop",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="End a session that is already running, and close its recording.",
)
@click.option("--headless", is_flag=True, help="Show the session in the terminal; the default without a display.")
@click.option("--duration", "duration_s", type=SECONDS, metavar="S", help="End by itself after so many seconds.")
@click.option("--record", "record", metavar="PATH", help="Record into this file; see also `subtalar recordings`.")
@click.option("--no-record", is_flag=True, help="Do not record.")
@click.option(
    "--speed",
    type=FiniteRange(min=0),
    default=1.0,
    show_default=True,
    help="Of a replay; 0 = as fast as possible.",
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Of the simulation.")
@click.option("--style", type=STYLE, default="normal", show_default=True, help="How the simulated person moves.")
@click.option("--motion", metavar="SESSION", help=MOTION_HELP)
@click.option("--loop", is_flag=True, help="Begin --motion again whenever it is over.")
@click.option(
    "--subtalar-axis", "axis_deg", type=SubtalarAxisType(), metavar="INCLINATION,DEVIATION", help=SUBTALAR_AXIS_HELP
)
@click.option("--fault", "faults", multiple=True, metavar="FAULTS", help=FAULT_HELP)
@click.option("--participant", metavar="CODE", help="Whose session it is: a pseudonymous code such as P017.")
@click.option("--visit", metavar="TEXT", help="Which visit of the participant, such as baseline.")
@click.option("--condition", metavar="TEXT", help="What is compared, such as barefoot or insole A.")
@click.option("--lsl", is_flag=True, help="Send angles, strides, events and markers over the Lab Streaming Layer.")
@click.option(
    "--lsl-markers",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Take markers from the LSL stream NAME; without a name, from every stream of markers.",
)
@click.option(
    "--marker-port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Take markers from this computer's UDP port: every datagram is a label.",
)
@click.option("--truth", metavar="PATH", help="Write the simulation's true angles to this .csv.gz file.")
def live(
    *,
    simulate: bool,
    replay: str | None,
    devices: tuple[str, ...],
    attach: str | None,
    stop: str | None,
    headless: bool,
    duration_s: float | None,
    record: str | None,
    no_record: bool,
    speed: float,
    seed: int,
    style: str,
    motion: str | None,
    loop: bool,
    axis_deg: tuple[float, float] | None,
    faults: tuple[str, ...],
    participant: str | None,
    visit: str | None,
    condition: str | None,
    lsl: bool,
    lsl_markers: str | None,
    marker_port: int | None,
    truth: str | None,
) -> None:
    """Run a live session: connect, show the three ankle angles of both legs, and record.

    Say where the samples come from: --simulate, --replay or --device; without any of them, from the sensors that
    `subtalar devices assign` has given a place. Stand still for three seconds, bend the knees two or three times, then
    walk. The session is recorded unless it is a replay; where, is shown and printed. --participant, --visit and
    --condition go into the recording, and `subtalar session list` finds it by them.

    A session outlives a window that crashes: --attach shows it again, --stop ends it.
    """
    if replay is None and [d[:7] for d in devices] == ["replay:"]:
        replay, devices = devices[0][7:], ()
    sources = sum((simulate, replay is not None, bool(devices), attach is not None, stop is not None))
    if sources == 0:
        devices = _assigned()
        sources = bool(devices)
    if sources != 1:
        raise click.UsageError(_NO_SOURCE if sources == 0 else _TWO_SOURCES)
    if attach is not None:
        _attach(attach, headless=headless)
        return
    if stop is not None:
        _stop(stop)
        return
    if truth is not None and not simulate:
        raise click.UsageError("--truth needs --simulate: only a simulation knows the true angles")
    if faults and not simulate:
        raise click.UsageError("--fault needs --simulate: real sensors have faults of their own")
    if motion is not None and not simulate:
        raise click.UsageError("--motion needs --simulate: to watch a recording without sensors, use --replay")
    if loop and motion is None:
        raise click.UsageError("--loop needs --motion: a simulated person goes on by itself")
    if record is not None and no_record:
        raise click.UsageError("--record and --no-record exclude each other")
    from subtalar.acquisition.plan import AcquisitionPlan, Integrations
    from subtalar.cli.catalogue_entries import assignment_from_options

    replayed = None if replay is None else _opened(replay)
    assignment = assignment_from_options(replayed, participant, visit, condition)
    if lsl or lsl_markers is not None:
        _load_lsl()
    if simulate:
        source, text = _simulated_source(seed, style, faults, motion, loop=loop)
    else:
        source, text = _live_source(replayed, devices, speed)
    plan = AcquisitionPlan(
        source,
        text,
        recording_path(record, wanted=not no_record and (replay is None or record is not None)),
        duration_s,
        None if truth is None else truth_path(truth),
        axis_deg,
        assignment,
        Integrations(lsl, lsl_markers, marker_port),
    )
    is_finite = replay is not None or (motion is not None and not loop)
    _run_live(plan, replayed, headless=headless, ends_by_itself=duration_s is not None or is_finite)


def _load_lsl() -> None:
    """What is not there is said before anything is started."""
    try:
        import pylsl  # noqa: F401
    except ImportError as error:
        raise missing_package(error, "lsl") from None
    except RuntimeError as error:
        raise SubtalarError(f"The library of the Lab Streaming Layer cannot be loaded ({error}).") from None


def _assigned() -> tuple[str, ...]:
    """The sensors that have a place on the leg, when nobody names any."""
    from subtalar.cli.devices import remembered_sensors

    specs = tuple(str(spec) for spec in remembered_sensors().sited())
    for spec in specs:
        click.echo(f"Using {spec}")
    return specs


def _opened(replay: str) -> "Session":
    """The session to replay: what is wrong with it is said before anything is started."""
    from subtalar.session import open_session

    return open_session(replay)


def _simulated_source(
    seed: int, style: str, faults: tuple[str, ...], motion: str | None, *, loop: bool
) -> "tuple[Source, str]":
    from functools import partial

    from subtalar.acquisition.plan import ProvidedSource

    text = fault_text(faults, "ble")
    if motion is None:
        return ProvidedSource(partial(simulated, seed, style, text)), f"simulated sensors (seed {seed}, {style})"
    name = check_motion(motion, text)
    path = str(Path(motion).expanduser().absolute())
    opener = partial(simulated, seed, style, text, motion=path, loop=loop)
    return ProvidedSource(opener), f"simulated sensors (seed {seed}, motion of {name})"


def _live_source(replayed: "Session | None", devices: tuple[str, ...], speed: float) -> "tuple[Source, str]":
    from subtalar.acquisition.plan import DeviceSource, ReplaySource

    if replayed is not None:
        return ReplaySource(replayed.path, speed), f"replay of {replayed.path.name}"
    from subtalar.cli.devices import remembered_sensors
    from subtalar.transport import parse_spec

    remembered = remembered_sensors()
    specs = tuple(parse_spec(remembered.complete(text)) for text in devices)
    return DeviceSource(specs), f"{len(specs)} sensor{'' if len(specs) == 1 else 's'}"


def _run_live(plan: "AcquisitionPlan", replayed: "Session | None", *, headless: bool, ends_by_itself: bool) -> None:
    from subtalar.acquisition.process import start_acquisition
    from subtalar.cli.catalogue_entries import enter_beginning, enter_end

    catalogued = enter_beginning(plan, replayed)
    with _signals_that_end(), salvaging(plan.record_path):
        acquisition = start_acquisition(
            plan, on_preparing=announce_preparation, meanwhile=lambda: _load_view(headless=headless)
        )
        view_failed, outcome = _show(acquisition, headless=headless, ends_by_itself=ends_by_itself)
    enter_end(plan, outcome, already_reported=not catalogued)
    _print_outcome(outcome)
    if view_failed is not None:
        raise view_failed


def _load_view(*, headless: bool) -> None:
    """What ``_show`` is going to import; what cannot be imported is said there."""
    with contextlib.suppress(ImportError):
        if headless or not _has_display():
            import subtalar.dashboard.terminal
        else:
            import subtalar.dashboard.window.app  # noqa: F401


@contextlib.contextmanager
def _signals_that_end() -> Iterator[None]:
    """Being told to end, and the terminal being closed, are the same as Ctrl-C."""
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, signal.default_int_handler)}
    before[signal.SIGINT] = signal.getsignal(signal.SIGINT)
    if sys.platform != "win32":
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(
    acquisition: "Acquisition", *, headless: bool, ends_by_itself: bool
) -> "tuple[SubtalarError | None, Outcome]":
    from subtalar.dashboard import run_dashboard, run_terminal

    view_failed: SubtalarError | None = None
    try:
        with contextlib.suppress(KeyboardInterrupt):
            if headless or not _has_display():
                run_terminal(acquisition.ring_name, acquisition, say_where=False)
            else:
                try:
                    run_dashboard(
                        acquisition.ring_name,
                        acquisition,
                        close_when_ended=ends_by_itself,
                        failure=lambda: _failure(acquisition),
                    )
                except InputError:
                    raise
                except SubtalarError as error:
                    click.echo(f"subtalar: {error} Going on in the terminal.", err=True)
                    run_terminal(acquisition.ring_name, acquisition, say_where=False)
    except SubtalarError as error:
        view_failed = error
    finally:
        # The end takes a second or two, and a second Ctrl-C must not cost the person its result.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        outcome = acquisition.close()
    return view_failed, outcome


def _failure(acquisition: "Acquisition") -> str | None:
    """Why a session that ended could not go on: the person looks at the window, not at the terminal behind it."""
    outcome = acquisition.wait(0.0)
    return None if outcome is None else outcome.error


def _attach(name: str, *, headless: bool) -> None:
    """Show a session that runs on this computer."""
    from subtalar.acquisition.process import running_session
    from subtalar.dashboard import run_dashboard, run_terminal

    running = running_session(name)
    with contextlib.suppress(KeyboardInterrupt):
        if headless or not _has_display():
            run_terminal(running.ring_name)
        else:
            run_dashboard(running.ring_name, running)
    if running.is_alive():
        click.echo(f"The session can be seen again with `subtalar live --attach {running.ring_name}`,")
        click.echo(f"and ended with `subtalar live --stop {running.ring_name}`.")


def _stop(name: str) -> None:
    """End a session that runs on this computer, in order."""
    from subtalar.acquisition.process import running_session

    facts = running_session(name, only=True).end()
    if facts.recording_error:
        raise SubtalarError(facts.recording_error)
    click.echo(f"Recorded: {facts.recording_path}" if facts.recording_path else "Ended; nothing was recorded.")


def _print_outcome(outcome: "Outcome") -> None:
    if outcome.recording_path:
        click.echo(f"Recorded: {outcome.recording_path}")
        click.echo(f"Its report: {command_line('report', outcome.recording_path)}")
    if outcome.recording_note:
        click.echo(outcome.recording_note, err=True)
    if outcome.recording_error:
        raise SubtalarError(outcome.recording_error)
    if outcome.error:
        raise SubtalarError(outcome.error)


def _has_display() -> bool:
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
