"""``subtalar sim``."""

import sys

import click

from subtalar.cli.missing import missing_package
from subtalar.cli.numbers import SECONDS, FiniteRange
from subtalar.cli.simulation import FAULT_HELP, fault_text
from subtalar.errors import InputError


class _SimulatedDevice(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on only
    """Any device that the simulator knows; which those are is only looked up when it is asked."""

    name = "device"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """The names, for the help text."""
        return f"[{'|'.join(_simulated_names())}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such a device."""
        names = _simulated_names()
        if value not in names:
            self.fail(f"{value!r} is not one of {', '.join(names)}.", param, ctx)
        return value


def _simulated_names() -> tuple[str, ...]:
    from subtalar_sim.firmware.registry import SIMULATED

    return tuple(SIMULATED)


@click.group()
def sim() -> None:
    """Simulated sensors for trying things out and for tests."""


@sim.command()
@click.option("--device", type=_SimulatedDevice(), required=True, help="Which sensor to simulate.")
@click.option("--transport", type=click.Choice(["pty", "tcp", "udp", "ble"]), help="How it is reached.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="First port; 0 = any free ones.")
@click.option("--duration", "duration_s", type=SECONDS, metavar="S", help="End after so many seconds.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True)
@click.option(
    "--speed",
    type=FiniteRange(0, 100, min_open=True),
    default=1.0,
    show_default=True,
    help="Faster or slower than life.",
)
@click.option("--fault", "faults", multiple=True, metavar="FAULTS", help=FAULT_HELP)
def serve(
    *,
    device: str,
    transport: str | None,
    port: int,
    duration_s: float | None,
    seed: int,
    speed: float,
    faults: tuple[str, ...],
) -> None:
    """Serve simulated sensors of both legs and print where to connect, one device spec a line.

    Over ble (Linux with dbus-daemon) the first line is DBUS_SYSTEM_BUS_ADDRESS=…: set that for the program that is to
    find the sensors.
    """
    try:
        from subtalar_sim.serve.command import serve as serve_simulated
        from subtalar_sim.serve.live import default_transport
    except ImportError as error:
        raise missing_package(error, "sim") from None
    try:
        text = fault_text(faults, transport or default_transport(device)) if faults else ""
        serve_simulated(
            device,
            transport,
            port=port,
            duration_s=duration_s,
            seed=seed,
            speed=speed,
            faults=text,
            say=_say_now,
        )
    except (ValueError, OSError) as error:
        raise InputError(f"The simulated sensors cannot be served: {error}.") from None


def _say_now(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
