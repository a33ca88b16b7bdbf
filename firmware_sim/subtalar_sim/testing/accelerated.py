"""Simulated legs as numbers and as bytes, as fast as the computer can."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Final, NamedTuple, cast

import numpy as np

from subtalar_sim.body import Stride, WalkingBody
from subtalar_sim.config import Body, SimulationConfig
from subtalar_sim.faults import DelayLine, GapDrawer, SentLedger
from subtalar_sim.firmware import Firmware, GattFirmware
from subtalar_sim.serve.delivery import Delivery
from subtalar_sim.serve.live import default_transport, make_firmware
from subtalar_sim.session_writer import write_session
from subtalar_sim.types import BoolArray, FloatArray, Payload, Side

_SOONEST_S: Final = 1e-3


class Samples(NamedTuple):
    """n samples of one sensor, in its own axes.

    ``t_s`` (n,) true session time, ``device_time_s`` (n,) what the sensor's clock showed (own offset, own drift),
    ``acc_m_s2`` (n, 3) specific force (+1 g up at rest), ``gyr_rad_s`` (n, 3) angular velocity.
    """

    t_s: FloatArray
    device_time_s: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray


class Arrival(NamedTuple):
    """A notification, or the bytes of one flush, and the session time at which it arrives.

    ``source``: UUID of the characteristic; empty on byte streams.
    """

    t_s: float
    data: bytes
    source: str


class SimulatedLegs:
    """One or two legs for ``seconds``: standing, knee bends, then walking. Equal arguments give equal numbers."""

    def __init__(self, config: SimulationConfig, seconds: float) -> None:
        if not isfinite(seconds):
            raise ValueError(f"seconds are a number, not {seconds:g}")
        for site in config.sites:
            config.faults_at(site).check_transport(config.transport or default_transport(config.device))
        if config.motion is None:
            start_s = config.make_body().walk_start_s
            if seconds < start_s + 1.0:
                raise ValueError(f"{seconds:g} s end before the walking starts at {start_s:g} s: ask for more")
            config = replace(config, body=replace(config.body, walking_s=seconds - start_s - 1.0))
        elif seconds > config.motion.duration_s and not config.loop:
            lasts = f"{config.motion.name} lasts {config.motion.duration_s:.1f} s, less than {seconds:g} s"
            raise ValueError(f"{lasts}: ask for a shorter time, or let it loop")
        self.config, self.seconds = config, seconds
        self.ledgers: dict[str, SentLedger] = {}

    @cached_property
    def body(self) -> Body:
        """The body; ``body.annotations`` says when it stands, bends its knees and walks."""
        return self.config.make_mover()

    @property
    def rate_hz(self) -> float:
        """Samples a second and sensor."""
        return self.config.rate_hz

    def samples(self, site: str) -> Samples:
        """What the sensor at ``site`` (``right_foot``…) measures, gaps of the fault script left out."""
        source, clock = self.config.make_source(self.body, site), self.config.make_clock(site)
        rate = clock.true_rate(self.rate_hz)
        t = np.arange(int(self.seconds * rate)) / rate
        measured = source.measure(t, rate)
        kept = self._kept(site, t)
        if measured.measured is not None:
            kept &= measured.measured
        return Samples(t[kept], clock.reading(t)[kept], measured.acc_m_s2[kept], measured.gyr_rad_s[kept])

    def _kept(self, site: str, t: FloatArray) -> BoolArray:
        plan = self.config.faults_at(site)
        down = np.array([plan.is_down(x) for x in t.tolist()], dtype=np.bool_)
        return GapDrawer(plan, self.rate_hz, self.config.seed, site).kept(len(t), t) & ~down

    def truth_deg(self, side: Side, t_s: FloatArray) -> FloatArray:
        """True dorsiflexion, inversion and tibial rotation (n, 3) in degrees at session times ``t_s`` (n,)."""
        return self.body.angles_deg(side, np.asarray(t_s, dtype=np.float64))

    def strides(self, side: Side) -> list[Stride]:
        """The strides of one leg as they were: initial contacts, foot-offs, lengths, peaks; none of recorded motion."""
        return list(self.body.strides(side)) if isinstance(self.body, WalkingBody) else []

    def stream(self, site: str, commands: Sequence[bytes | tuple[str, bytes]] = ()) -> list[Arrival]:
        """Everything that the device at ``site`` sends, byte for byte, with all faults of the script.

        ``commands`` are written to it first: bytes on a byte stream, (UUID of a characteristic, bytes) over Bluetooth;
        some devices send nothing before they are told to. Over Bluetooth every characteristic is subscribed to.
        Afterwards ``ledgers[site]`` holds what became of every sample.
        """
        transport = self.config.transport or default_transport(self.config.device)
        firmware = make_firmware(self.config, self.body, site, self.config.sites.index(site), transport)
        plan = self.config.faults_at(site)
        link = _Tape(firmware, commands)
        delivery = Delivery(firmware, link, plan, DelayLine(plan, self.config.seed, site, firmware.ledger))
        self.ledgers[site] = firmware.ledger
        link.bring_up()
        while link.now_s < self.seconds:
            delivery.step(link.now_s)
            link.now_s = max(delivery.next_s(link.now_s), link.now_s + _SOONEST_S)
        return link.arrivals

    def write(self, folder: str | Path) -> Path:
        """The same legs as a raw session folder with its truth, for ``subtalar analyze`` and the like."""
        return write_session(self.config, folder, self.seconds)


class _Tape:
    """A link whose other end listens whenever it can, and keeps everything."""

    def __init__(self, firmware: Firmware | GattFirmware, commands: Sequence[bytes | tuple[str, bytes]]) -> None:
        self._firmware, self._commands = firmware, commands
        self.refusals = 0
        self.listening = False
        self.now_s = 0.0
        self.arrivals: list[Arrival] = []

    def send(self, payload: Payload) -> bool:
        self.arrivals.append(Arrival(self.now_s, payload.data, payload.source))
        return True

    def take_down(self) -> None:
        self.listening = False
        self._subscribe(False)

    def bring_up(self) -> None:
        self.listening = True
        self._subscribe(True)
        for command in self._commands:
            if isinstance(command, bytes):
                cast(Firmware, self._firmware).on_bytes(command, self.now_s)
            else:
                cast(GattFirmware, self._firmware).on_write(*command, self.now_s)

    def _subscribe(self, subscribed: bool) -> None:
        for service in getattr(self._firmware, "services", ()):
            for characteristic in service.characteristics:
                if "notify" in characteristic.can:
                    device = cast(GattFirmware, self._firmware)
                    device.on_subscribe(characteristic.uuid, subscribed=subscribed, now_s=self.now_s)
