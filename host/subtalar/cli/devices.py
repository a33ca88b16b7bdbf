"""``subtalar devices``: what can be reached from here, how it is set, and where on the leg it sits."""

from typing import TYPE_CHECKING

import click

from subtalar.anatomy import BodySite
from subtalar.cli.option_types import FiniteRange
from subtalar.cli.whole_help import WholeHelpGroup
from subtalar.shown import shown

if TYPE_CHECKING:
    from subtalar.device import RememberedSensors
    from subtalar.transport import DeviceSpec

SITES = tuple(site.value for site in BodySite)
_POSITIVE = FiniteRange(min=0, min_open=True)


@click.group(cls=WholeHelpGroup)
def devices() -> None:
    """Find sensors, look at them, set them, and say where on the leg each one sits.

    SPEC says how a sensor is reached, such as ble:AA:BB:CC:DD:EE:FF,model=talus or serial:/dev/ttyACM0,model=ximu3;
    the place of an assigned sensor, such as right_foot, does as well.
    """


def remembered_sensors() -> "RememberedSensors":
    """What this computer remembers; that the file was damaged is told on stderr."""
    from subtalar.device import RememberedSensors

    remembered = RememberedSensors()
    if remembered.trouble:
        click.echo(f"subtalar: {remembered.trouble}", err=True)
    return remembered


def _parsed(remembered: "RememberedSensors", text: str) -> "DeviceSpec":
    from subtalar.transport import parse_spec

    return parse_spec(remembered.complete(text), need_site=False)


@devices.command()
@click.option("--seconds", type=FiniteRange(1, 60), default=5.0, show_default=True, help="How long to listen.")
def scan(seconds: float) -> None:
    """List the sensors that can be reached, each as a device spec, with its place on the leg where one is assigned."""
    import asyncio

    from subtalar.errors import LinkError
    from subtalar.protocol import plug_ins
    from subtalar.transport.discover import list_serial_ports, scan_ble

    for trouble_of_plug_in in plug_ins().troubles:  # or its sensors would be nameless without a word
        click.echo(f"subtalar: {shown(trouble_of_plug_in)}", err=True)
    remembered = remembered_sensors()
    found = asyncio.run(list_serial_ports())
    trouble: LinkError | None = None
    try:
        found.extend(asyncio.run(scan_ble(seconds)))
    except LinkError as error:
        trouble = error
    seen = set()
    for device in found:
        key = f"{device.kind}:{device.address}".lower()
        seen.add(key)
        model = "" if device.model is None else f",model={device.model}"
        strength = "" if device.rssi_dbm is None else f", {device.rssi_dbm} dBm"
        spec = remembered.complete(f"{device.kind}:{device.address}{model}")
        kept = next((sensor.name for sensor in remembered if sensor.spec.key == key), "")
        # Anybody's device is heard here, under any name.
        click.echo(shown(f"{spec}  ({kept or device.name or 'no name'}{strength})"))
    absent = [sensor for sensor in remembered if sensor.spec.key not in seen]
    for sensor in absent:
        click.echo(shown(f"{sensor.spec}  ({sensor.name or 'no name'}, remembered, not seen now)"))
    if trouble is not None:
        raise trouble
    if not found:
        click.echo("No sensor was found: check that they are on, charged, near, and not connected to a phone.")


@devices.command()
@click.argument("spec")
def info(spec: str) -> None:
    """Connect to the sensor SPEC for a moment and tell its model, rate and battery."""
    import asyncio

    from subtalar.device import inspect_device

    parsed = _parsed(remembered_sensors(), spec)
    report = asyncio.run(inspect_device(parsed))
    status = report.status
    click.echo(f"{parsed.kind}:{parsed.address}: {status.info.model}")
    rate = "not measured" if status.rate_hz is None else f"{status.rate_hz:.1f} Hz"
    battery = "not known" if status.battery_percent is None else f"{status.battery_percent:.0f} %"
    click.echo(f"  rate {rate} (asked for {status.info.rate_hz:g} Hz), battery {battery}")
    for key, value in report.replies.items():
        # The bare acknowledgement of a command; what is told above; what the codec needs and nobody reads.
        if value is None or key in ("battery", "calibration") or key.startswith("register"):
            continue
        if isinstance(value, dict) and set(value) == {"error"}:  # a setting that this firmware does not know
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{name} {part}" for name, part in value.items())
        click.echo(shown(f"  {key}: {value}"))


@devices.command()
@click.argument("spec")
def blink(spec: str) -> None:
    """Let the sensor SPEC blink, to see which one it is."""
    import asyncio

    from subtalar.device import check_script, run_on_device
    from subtalar.protocol import DeviceProtocol, Script

    def show(protocol: DeviceProtocol) -> Script:
        yield from protocol.blink()

    parsed = _parsed(remembered_sensors(), spec)
    check_script(parsed, show)
    asyncio.run(run_on_device(parsed, show, 1.0))
    click.echo(f"{parsed.kind}:{parsed.address} has been told to blink.")


@devices.command("set")
@click.argument("spec")
@click.option("--rate", "rate_hz", type=_POSITIVE, metavar="HZ", help="Samples a second.")
@click.option("--range-acc", "acc_range_g", type=_POSITIVE, metavar="G", help="Range of the accelerometer.")
@click.option("--range-gyr", "gyr_range_deg_s", type=_POSITIVE, metavar="DPS", help="Range of the gyroscope.")
@click.option("--name", metavar="TEXT", help="What the sensor calls itself; it keeps that when switched off.")
@click.option("--site", type=click.Choice(SITES), help="Where on the leg it sits.")
def set_device(
    spec: str,
    rate_hz: float | None,
    acc_range_g: float | None,
    gyr_range_deg_s: float | None,
    name: str | None,
    site: str | None,
) -> None:
    """Set the sensor SPEC and see that it takes it. Remembered here, and used by every session from now on."""
    import asyncio
    from dataclasses import replace

    from subtalar.device import set_up_device
    from subtalar.types import BodySite

    numbers = (rate_hz, acc_range_g, gyr_range_deg_s)
    is_to_be_set = name is not None or any(number is not None for number in numbers)
    if not is_to_be_set and site is None:
        raise click.UsageError("say what to set: --rate, --range-acc, --range-gyr, --name or --site")
    remembered = remembered_sensors()
    before = _parsed(remembered, spec)
    parsed = replace(
        before,
        rate_hz=rate_hz or before.rate_hz,
        acc_range_g=acc_range_g or before.acc_range_g,
        gyr_range_deg_s=gyr_range_deg_s or before.gyr_range_deg_s,
        site=before.site if site is None else BodySite(site),
    )
    parsed.make_protocol()  # what is not offered is said before anybody connects
    if is_to_be_set:
        status = asyncio.run(set_up_device(parsed, name)).status
        measured = "" if status.rate_hz is None else f" (measured {status.rate_hz:.1f})"
        click.echo(f"{parsed.kind}:{parsed.address} takes it: {status.info.rate_hz:g} Hz{measured}{_ranges(parsed)}")
    _remember(remembered, parsed, name)


def _ranges(spec: "DeviceSpec") -> str:
    told = [("g", spec.acc_range_g), ("°/s", spec.gyr_range_deg_s)]
    return "".join(f", ±{value:g} {unit}" for unit, value in told if value is not None)


def _remember(remembered: "RememberedSensors", spec: "DeviceSpec", name: str | None = None) -> None:
    displaced = remembered.remember(spec, name)
    kept = remembered.get(spec)
    click.echo(f"Remembered: {spec if kept is None else kept.spec}")
    if displaced is not None:
        click.echo(f"{displaced.spec.kind}:{displaced.spec.address}, which was there before, has no place now.")


@devices.command()
@click.argument("site", type=click.Choice(SITES))
@click.argument("spec")
def assign(site: str, spec: str) -> None:
    """Remember that the sensor SPEC sits at SITE: sessions then need no --device."""
    from dataclasses import replace

    from subtalar.types import BodySite

    remembered = remembered_sensors()
    _remember(remembered, replace(_parsed(remembered, spec), site=BodySite(site)))


@devices.command()
@click.argument("spec")
def forget(spec: str) -> None:
    """Remember nothing of the sensor SPEC any more."""
    from subtalar.errors import InputError

    remembered = remembered_sensors()
    parsed = _parsed(remembered, spec)
    if not remembered.forget(parsed):
        raise InputError(f"Nothing is remembered of {parsed.kind}:{parsed.address}.")
    click.echo(f"Forgotten: {parsed.kind}:{parsed.address}")
