"""``subtalar devices``: what can be reached from here."""

import click

from subtalar.cli.numbers import FiniteRange


@click.group()
def devices() -> None:
    """Find sensors and look at them."""


@devices.command()
@click.option("--seconds", type=FiniteRange(1, 60), default=5.0, show_default=True, help="How long to listen.")
def scan(seconds: float) -> None:
    """List the sensors that can be reached, each as a device spec to be completed with its place on the leg."""
    import asyncio

    from subtalar.errors import LinkError
    from subtalar.transport.discover import list_serial_ports, scan_ble

    found = asyncio.run(list_serial_ports())
    trouble: LinkError | None = None
    try:
        found.extend(asyncio.run(scan_ble(seconds)))
    except LinkError as error:
        trouble = error
    for device in found:
        model = "" if device.model is None else f",model={device.model}"
        strength = "" if device.rssi_dbm is None else f", {device.rssi_dbm} dBm"
        click.echo(f"{device.kind}:{device.address}{model}  ({device.name or 'no name'}{strength})")
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
    from subtalar.transport import parse_spec

    parsed = parse_spec(spec, need_site=False)
    report = asyncio.run(inspect_device(parsed))
    status = report.status
    click.echo(f"{parsed.kind}:{parsed.address}: {status.info.model}")
    rate = "not measured" if status.rate_hz is None else f"{status.rate_hz:.1f} Hz"
    battery = "not known" if status.battery_percent is None else f"{status.battery_percent:.0f} %"
    click.echo(f"  rate {rate} (asked for {status.info.rate_hz:g} Hz), battery {battery}")
    for key, value in report.replies.items():
        if value is None:  # the bare acknowledgement of a command
            continue
        click.echo(f"  {key}: {value}")
