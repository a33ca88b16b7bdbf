"""``subtalar sim``."""

import sys

import click

from subtalar.cli.missing import missing_package
from subtalar.cli.option_types import SECONDS, FiniteRange
from subtalar.cli.simulation import FAULT_HELP, MOTION_HELP, STYLE, fault_text, recorded_motion
from subtalar.cli.whole_help import WholeHelpGroup
from subtalar.errors import InputError


class _SimulatedDevice(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on only
    """Any device that the simulator knows; which those are is only looked up when it is asked."""

    name = "device"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such a device."""
        names = _simulated_names()
        if value not in names:
            from subtalar_sim.firmware.registry import plug_ins

            told = "; ".join((f"{value!r} is not one of {', '.join(names)}", *plug_ins().troubles))
            self.fail(f"{told}.", param, ctx)
        return value


class _DeviceOption(click.Option):
    """Its help text names the devices."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """See click."""
        self.help = f"Which sensor to simulate: {', '.join(_simulated_names())}."
        return super().get_help_record(ctx)


def _simulated_names() -> tuple[str, ...]:
    from subtalar_sim.firmware.registry import simulated_devices

    return tuple(simulated_devices())


@click.group(cls=WholeHelpGroup)
def sim() -> None:
    """Simulated sensors for trying things out and for tests."""


@sim.command()
@click.option("--device", cls=_DeviceOption, type=_SimulatedDevice(), required=True, metavar="NAME")
@click.option("--transport", type=click.Choice(["pty", "tcp", "udp", "ble"]), help="How it is reached.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="First port of tcp or udp; 0 = any free ones.")
@click.option("--duration", "duration_s", type=SECONDS, metavar="S", help="End after so many seconds.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
@click.option(
    "--speed",
    type=FiniteRange(0, 100, min_open=True),
    default=1.0,
    show_default=True,
    help="Faster or slower than life.",
)
@click.option("--style", type=STYLE, default="normal", show_default=True, help="How the simulated person moves.")
@click.option("--motion", metavar="SESSION", help=MOTION_HELP)
@click.option("--no-wait", is_flag=True, help="The person begins at once, whether anybody listens or not.")
@click.option("--loop", is_flag=True, help="Begin --motion again whenever it is over.")
@click.option("--fault", "faults", multiple=True, metavar="FAULTS", help=FAULT_HELP)
def serve(
    *,
    device: str,
    transport: str | None,
    port: int,
    duration_s: float | None,
    seed: int,
    speed: float,
    style: str,
    motion: str | None,
    no_wait: bool,
    loop: bool,
    faults: tuple[str, ...],
) -> None:
    """Serve simulated sensors of both legs and print where to connect, one device spec a line.

    Over ble (Linux with dbus-daemon) the first line is DBUS_SYSTEM_BUS_ADDRESS=…: set that for the program that is to
    find the sensors.

    The simulated person stands until all sensors stream to somebody, or some have for half a minute; then the standing
    begins that is zero, the knee bends and the walk. --no-wait lets them begin at once.

    With --motion the sensors measure what a session holds, from when all of them stream; when it is over they
    are gone. The person then moves as recorded, and --style has no meaning.
    """
    try:
        from subtalar_sim.serve.command import serve as serve_simulated
        from subtalar_sim.serve.live import default_transport
    except ImportError as error:
        raise missing_package(error, "sim") from None
    if loop and motion is None:
        raise click.UsageError("--loop needs --motion: a simulated person goes on by itself")
    if no_wait and motion is not None:
        raise click.UsageError("--no-wait is for a simulated person: recorded motion always waits for somebody")
    recorded = None if motion is None else recorded_motion(motion)
    try:
        text = fault_text(faults, transport or default_transport(device)) if faults else ""
        serve_simulated(
            device,
            transport,
            port=port,
            duration_s=duration_s,
            seed=seed,
            speed=speed,
            style=style,
            faults=text,
            motion=recorded,
            loop=loop,
            waits=not no_wait,
            say=_say_now,
        )
    except (ValueError, OSError) as error:
        raise InputError(f"The simulated sensors cannot be served: {error}.") from None


def _say_now(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
