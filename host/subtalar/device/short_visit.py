"""Short visits to a device: what it is, how it does, settings and single commands."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from subtalar.errors import InputError, LinkError
from subtalar.protocol import DeviceProtocol, Script
from subtalar.transport import DeviceSpec, make_transport
from subtalar.types import BodySite, SampleBlock, SensorStatus

from .group import SpecTransportMaker, open_group
from .policy import LinkPolicy
from .rate_meter import RATE_OVER_S


@dataclass(frozen=True)
class DeviceReport:
    """What a short visit found. ``replies`` holds the device's answers under the codec's keys."""

    status: SensorStatus
    replies: Mapping[str, object] = field(default_factory=dict)


class _NullSink:
    """A sink that keeps nothing."""

    def on_chunk(self, site: BodySite, arrival_s: float, data: bytes, source: str) -> None:
        return

    def on_block(self, block: SampleBlock) -> None:
        return

    def on_status(self, status: SensorStatus) -> None:
        return


async def run_on_device(
    spec: DeviceSpec,
    script: Callable[[DeviceProtocol], Script],
    duration_s: float = 0.0,
    *,
    policy: LinkPolicy | None = None,
    transports: SpecTransportMaker = make_transport,
) -> DeviceReport:
    """Connect, configure, take the script's steps, stream for ``duration_s`` and leave.

    Raises LinkError if the device is out of reach or stays silent, InputError if it cannot do what is asked.
    """
    sited = spec if spec.site is not None else replace(spec, site=BodySite.RIGHT_FOOT)
    group = open_group([sited], _NullSink(), policy=policy, transports=transports)
    (stream,) = group.streams.values()
    if spec.site is None:
        stream.name = spec.address
    async with group:
        try:
            await group.wait_streaming()
        except LinkError as error:
            if spec.site is not None:
                raise
            # Nobody said where this sensor sits, so neither does the sentence.
            raise LinkError(str(error).removeprefix(f"{sited.site}: ")) from error
        await stream.perform(script(stream.protocol), may_stop_stream=True)
        await asyncio.sleep(duration_s)
        return DeviceReport(stream.status(), dict(stream.replies))


async def inspect_device(
    spec: DeviceSpec,
    duration_s: float = 2.5,
    *,
    policy: LinkPolicy | None = None,
    transports: SpecTransportMaker = make_transport,
) -> DeviceReport:
    """Identity, battery and measured rate of one device. Errors as in :func:`run_on_device`."""

    def identity_script(protocol: DeviceProtocol) -> Script:
        yield from protocol.identify()
        yield from protocol.poll_battery()

    return await run_on_device(spec, identity_script, duration_s, policy=policy, transports=transports)


def check_script(spec: DeviceSpec, script: Callable[[DeviceProtocol], Script]) -> None:
    """Raise the InputError of a script that such a device can never carry out, before anybody has connected to it."""
    steps = script(spec.make_protocol())
    try:
        next(steps, None)
    finally:
        steps.close()


def _check_name(name: str) -> None:
    """Raise InputError for a name that no sensor shall have, whatever its model would store."""
    if not name.strip():
        raise InputError("The name for the sensor is empty: give one or more letters.")
    # A terminal would obey control characters; what a shell makes of bytes that are no UTF-8 cannot even be sent.
    if not name.isprintable():
        raise InputError(f"The name {name!r} holds a character that cannot be shown: type it again.")


async def set_up_device(
    spec: DeviceSpec,
    name: str | None = None,
    *,
    policy: LinkPolicy | None = None,
    transports: SpecTransportMaker = make_transport,
) -> DeviceReport:
    """Set the rate and ranges of ``spec``, and the name, which is stored in the device with them.

    Raises LinkError if the device is out of reach or refuses, InputError if such a device cannot do what is asked;
    then it was not even connected to.
    """

    def settings_script(protocol: DeviceProtocol) -> Script:
        if name is not None:
            yield from protocol.rename(name)
            yield from protocol.save()

    if name is not None:
        _check_name(name)
    check_script(spec, settings_script)
    # To store its settings a device may stop streaming, which must not count in the rate that is measured.
    duration_s = 2.5 if name is None else RATE_OVER_S + 0.6
    return await run_on_device(spec, settings_script, duration_s, policy=policy, transports=transports)
