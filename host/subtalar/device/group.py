"""Several sensors as one: started together, stopped together."""

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self, TypeAlias

from subtalar.errors import InputError, LinkError
from subtalar.protocol import DeviceProtocol
from subtalar.transport import DeviceSpec, Transport, make_transport
from subtalar.transport.udp import known_listen_port
from subtalar.types import BodySite, SensorStatus

from .clock import SessionClock
from .policy import LinkPolicy
from .sink import Sink
from .stream import SensorStream

SpecTransportMaker: TypeAlias = Callable[[DeviceSpec, DeviceProtocol], Transport]


class SensorGroup:
    """``async with`` starts every stream; leaving stops them all, whatever happened inside."""

    def __init__(self, streams: Sequence[SensorStream]) -> None:
        self.streams = {stream.info.site: stream for stream in streams}
        self._tasks: dict[BodySite, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        for site, stream in self.streams.items():
            self._tasks[site] = asyncio.create_task(stream.run(), name=f"sensor {site}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for site, task in self._tasks.items():
            self.streams[site].mark_end()  # all at once, however long each of them takes to say goodbye
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def statuses(self) -> tuple[SensorStatus, ...]:
        """Every sensor's state, in the order of the specs."""
        return tuple(stream.status() for stream in self.streams.values())

    async def wait_streaming(self, timeout_s: float = 40.0) -> None:
        """Return when every sensor has delivered samples.

        Raises LinkError as soon as one is given up, or when the time is over, naming who is missing and why.
        """
        all_streaming = asyncio.create_task(self._wait_all_streaming())
        try:
            async with asyncio.timeout(timeout_s):
                done, _ = await asyncio.wait(
                    [all_streaming, *self._tasks.values()], return_when=asyncio.FIRST_COMPLETED
                )
            for task in done:
                task.result()
        except TimeoutError:
            missing = [s for s in self.streams.values() if not s.streaming.is_set()]
            reasons = "; ".join(f"{s.info.site}: {s.last_error or 'no answer yet.'}" for s in missing)
            raise LinkError(f"Not every sensor answers: {reasons}") from None
        finally:
            all_streaming.cancel()
            await asyncio.gather(all_streaming, return_exceptions=True)

    async def _wait_all_streaming(self) -> None:
        for stream in self.streams.values():
            await stream.streaming.wait()

    async def wait_failed(self) -> None:
        """Wait until a stream ends by an error, and raise that. For the side of a ``TaskGroup`` that watches."""
        done, _ = await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


def open_group(
    specs: Sequence[DeviceSpec],
    sink: Sink,
    clock: SessionClock | None = None,
    *,
    policy: LinkPolicy | None = None,
    transports: SpecTransportMaker = make_transport,
) -> SensorGroup:
    """A group of the sensors in ``specs``, not yet started.

    Raises InputError if a spec has no site, or two share a site, an address or a port to listen on.
    """
    clock = clock or SessionClock()
    streams: list[SensorStream] = []
    taken: set[str] = set()
    listening: dict[int, BodySite] = {}
    for spec in specs:
        if spec.site is None:
            raise InputError(f"The device {spec} does not say where the sensor sits.")
        for what in dict.fromkeys((spec.site.value, spec.key, _key_of_port(spec))):
            if what in taken:
                raise InputError(f"Two devices are given for {what}: every sensor has one place and one address.")
            taken.add(what)
        port = known_listen_port(spec.address) if spec.kind == "udp" else None
        if port is not None and listening.setdefault(port, spec.site) != spec.site:
            raise InputError(
                f"The sensors of {listening[port]} and {spec.site} would both send to port {port} of this computer: "
                "give each a port of its own, here and in the sensor's UDP send port."
            )
        protocol = spec.make_protocol()
        # A radio deserves a second try; a port that is not there will not be there in a second either. But looking
        # whether it is back is cheap, while a radio that searches disturbs the sensors that stream.
        radio = LinkPolicy(first_attempts=2)
        patience = policy or (radio if spec.kind == "ble" else LinkPolicy(first_attempts=1, retry_max_s=1.5))
        make = partial(transports, spec, protocol)
        streams.append(SensorStream(spec.site, protocol, make, clock, sink, patience, spec.address))
    return SensorGroup(streams)


def _key_of_port(spec: DeviceSpec) -> str:
    """``spec.key``, but of the port itself where a link such as ``/dev/serial/by-id/…`` leads to it."""
    is_path = spec.kind == "serial" and spec.address.startswith("/")
    return f"serial:{os.path.realpath(spec.address)}".lower() if is_path else spec.key
