"""One entry for a live session on simulated hardware: sensors served, and the truth beside them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from subtalar_sim.body import BodyConfig
from subtalar_sim.clock import SessionClock
from subtalar_sim.config import Body, SimulationConfig
from subtalar_sim.faults import DelayLine, GapDrawer, SentLedger
from subtalar_sim.firmware import Firmware, GattFirmware
from subtalar_sim.firmware.base import NoticesLostLink, Unit
from subtalar_sim.firmware.registry import find_simulated
from subtalar_sim.motion import RecordedBody
from subtalar_sim.serve.beginning import begin_when_heard
from subtalar_sim.serve.delivery import Delivery, Link
from subtalar_sim.serve.pump import Pump
from subtalar_sim.serve.streams import PtyLink, TcpLink
from subtalar_sim.serve.udp import UdpLink
from subtalar_sim.types import FloatArray, Side

if TYPE_CHECKING:
    from subtalar_sim.serve.radio import Radio as RadioType


@dataclass(frozen=True)
class SimulatedHardware:
    """Sensors that can be reached now.

    ``specs`` are device specs (``right_foot=ble:…,model=witmotion,rate=200``). The two backends go to bleak's
    ``backend=`` and, like ``radio``, are None without Bluetooth. ``body`` runs on ``clock``, which is anchored to the
    host's monotonic clock at the start. ``links``, by site, can be taken down and brought up again at any time.
    """

    config: SimulationConfig
    body: Body
    clock: SessionClock
    specs: tuple[str, ...]
    ledgers: dict[str, SentLedger]
    bleak_client_backend: type[Any] | None = None
    bleak_scanner_backend: type[Any] | None = None
    radio: "RadioType | None" = None
    links: dict[str, Link] = field(default_factory=dict)

    @property
    def anchor_s(self) -> float:
        """Reading of the host's monotonic clock at session time zero."""
        return self.clock.anchor_s

    def truth(self, side: Side, monotonic_s: FloatArray) -> FloatArray:
        """True dorsiflexion, inversion, tibial rotation (n, 3) in degrees at readings of the host's monotonic clock.

        NaN where recorded motion has none.
        """
        return self.body.angles_deg(side, self.clock.from_host(monotonic_s))

    @property
    def is_over(self) -> bool:
        """Whether recorded motion has come to its end, and all of it has had a second to arrive."""
        return isinstance(self.body, RecordedBody) and self.body.is_over(self.clock.session_s())

    @property
    def sent_samples(self) -> dict[str, int]:
        """Samples handed to the link so far, by site."""
        return {site: ledger.sent for site, ledger in self.ledgers.items()}


def default_transport(device: str) -> str:
    """How a device is reached if nothing is said. Raises ValueError for one that there is not."""
    return find_simulated(device).transports[0]


def make_firmware(
    config: SimulationConfig, body: Body, site: str, number: int, transport: str
) -> Firmware | GattFirmware:
    """The device at ``site``, the ``number``-th of the session, as it is before anybody talked to it."""
    # Devices were not switched on together: their samples fall between each other's.
    start = float(np.random.default_rng([config.seed, 18, number]).uniform(0.0, 1.0 / config.rate_hz))
    unit = Unit(
        source=config.make_source(body, site),
        clock=config.make_clock(site),
        gaps=GapDrawer(config.faults_at(site), config.rate_hz, config.seed, site),
        rate_hz=config.rate_hz,
        serial_number=0x5175 << 48 | (config.seed & 0xFFFF) << 32 | number,
        address=ble_address(config.seed, number) if transport == "ble" else "",
        interface=transport,
        start_s=start,
        empty_s=config.faults_at(site).battery_empty_s,
    )
    return config.model.make(unit)


def ble_address(seed: int, number: int) -> str:
    """A static random address, different for every seed and sensor."""
    return f"C6:51:{seed >> 8 & 0xFF:02X}:{seed & 0xFF:02X}:00:{number + 1:02X}"


@asynccontextmanager
async def simulated_hardware(config: SimulationConfig) -> AsyncIterator[SimulatedHardware]:
    """Serve the sensors of ``config`` on the running event loop until the context ends.

    Raises ValueError for a device that does not exist, a rate it does not have or a transport it cannot use, OSError
    if a port is taken, and ImportError if Bluetooth is asked for without the packages of the ``sim`` extra.
    """
    transport = config.transport or default_transport(config.device)
    for site in config.sites:
        config.faults_at(site).check_transport(transport)
    body = config.make_mover()
    clock = SessionClock(config.speed)
    radio: RadioType | None = None
    backends: tuple[type[Any] | None, type[Any] | None] = (None, None)
    if transport == "ble":
        from subtalar_sim.serve.bleak_backend import backends_for
        from subtalar_sim.serve.radio import Radio

        radio = Radio()
        backends = backends_for(radio)
    async with AsyncExitStack() as stack:
        specs, ledgers, pumps = [], {}, []
        links: list[Any] = []
        waits = config.waits or isinstance(body, RecordedBody)
        if waits:
            body.begin_s = None  # from the first sample on
        for number, site in enumerate(config.sites):
            firmware = make_firmware(config, body, site, number, transport)
            link = _link(config, firmware, clock, number, transport, radio)
            plan = config.faults_at(site)
            delivery = Delivery(firmware, link, plan, DelayLine(plan, config.seed, site, firmware.ledger))
            pump = Pump(delivery, clock)
            link.on_activity = pump.rearm
            delivery.switch(0.0)
            links.append(link)
            pumps.append(pump)
            ledgers[site] = firmware.ledger
        if radio is not None:
            await radio.power_on()
            stack.push_async_callback(radio.power_off)
        for site, link, pump in zip(config.sites, links, pumps, strict=True):
            await link.start()
            stack.push_async_callback(link.stop)
            pump.start()
            stack.callback(pump.stop)
            kind = {"pty": "serial"}.get(transport, transport)
            specs.append(f"{site}={kind}:{link.address},model={config.device},rate={config.rate_hz:g}")
        by_site = dict(zip(config.sites, links, strict=True))
        if waits:
            beginning = asyncio.get_running_loop().create_task(begin_when_heard(body, clock, by_site, ledgers))
            stack.push_async_callback(_ended, beginning)
        yield SimulatedHardware(config, body, clock, tuple(specs), ledgers, *backends, radio, by_site)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _link(
    config: SimulationConfig,
    firmware: Firmware | GattFirmware,
    clock: SessionClock,
    number: int,
    transport: str,
    radio: "RadioType | None",
) -> Any:
    """The wire of one device, unopened."""
    if radio is not None:
        from subtalar_sim.serve.peripheral import GattPeripheral

        gatt = cast(GattFirmware, firmware)
        plan = config.faults_at(config.sites[number])
        address = ble_address(config.seed, number)
        return GattPeripheral(radio, gatt, address, clock.session_s, plan.mtu, plan.supervision_s)
    stream = cast(Firmware, firmware)
    port = config.port + number if config.port else 0
    link: TcpLink | UdpLink | PtyLink
    if transport == "udp":
        link = UdpLink(port=port)
    elif transport == "tcp":
        link = TcpLink(port=port)
        if isinstance(stream, NoticesLostLink):
            told = stream
            link.on_link_lost = lambda: told.on_link_lost(clock.session_s())
    else:
        link = PtyLink()

    def heard(data: bytes) -> None:
        stream.on_bytes(data, clock.session_s())
        link.on_activity()

    link.on_bytes = heard
    return link


@asynccontextmanager
async def simulated_leg_pair(
    *,
    seed: int = 0,
    style: str = "normal",
    device: str = "witmotion",
    rate_hz: float = 0.0,
    walking_s: float = 8 * 3600.0,
    **changes: Any,
) -> AsyncIterator[SimulatedHardware]:
    """Both legs, four sensors; ``changes`` are further fields of ``SimulationConfig``."""
    config = SimulationConfig(
        body=BodyConfig(seed=seed, style=style, walking_s=walking_s), device=device, rate_hz=rate_hz
    )
    async with simulated_hardware(replace(config, **changes)) as hardware:
        yield hardware
