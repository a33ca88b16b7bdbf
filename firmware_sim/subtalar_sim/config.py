"""All that makes one simulated session, in a frozen value that crosses process borders."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from subtalar_sim.body import BodyConfig, WalkingBody
from subtalar_sim.clock import SensorClock, draw_clock
from subtalar_sim.faults import NO_FAULTS, FaultPlan
from subtalar_sim.sensor import QUALITIES, Imu, Mounting, draw_mounting
from subtalar_sim.types import GRAVITY_M_S2, SITES, split_site

_TRANSPORTS: Final = {"witmotion": ("ble",), "ximu3": ("tcp", "pty")}


@dataclass(frozen=True)
class SimulationConfig:
    """Body, sensors, device and faults of a session. Picklable; equal configurations give equal numbers.

    ``device``: ``witmotion`` or ``ximu3``; ``transport``: ``ble``, ``tcp`` or ``pty``, None for the usual one of the
    device; ``port``: first TCP port, 0 for any free ones. ``quality``: a key of ``subtalar_sim.sensor.QUALITIES``.
    ``orientation``: ``aligned``, ``typical`` or ``any``; ``mountings`` overrides it for single sites.
    ``faults`` apply to every sensor, ``faults_of`` to single sites. ``speed`` paces live serving.
    """

    body: BodyConfig = field(default_factory=BodyConfig)
    sites: tuple[str, ...] = SITES
    device: str = "witmotion"
    transport: str | None = None
    port: int = 0
    rate_hz: float = 200.0
    quality: str = "typical"
    orientation: str = "typical"
    mountings: tuple[tuple[str, Mounting], ...] = ()
    bandwidth_hz: float | None = None
    clock_drift_ppm: float = 25.0
    faults: FaultPlan = NO_FAULTS
    faults_of: tuple[tuple[str, FaultPlan], ...] = ()
    speed: float = 1.0

    def __post_init__(self) -> None:
        for site in self.sites:
            split_site(site)
        if self.device not in _TRANSPORTS:
            raise ValueError(f"no device {self.device!r}; there are {', '.join(_TRANSPORTS)}")
        offered = _TRANSPORTS[self.device]
        if self.transport is not None and self.transport not in offered:
            raise ValueError(f"{self.device} is served over {' or '.join(offered)}, not over {self.transport}")
        if self.quality not in QUALITIES:
            raise ValueError(f"no sensor quality {self.quality!r}; there are {', '.join(QUALITIES)}")
        if not 10.0 <= self.rate_hz <= 400.0:
            raise ValueError(f"rate_hz must lie in 10..400, not {self.rate_hz}")

    @property
    def seed(self) -> int:
        """The one seed of body, sensors, clocks and faults."""
        return self.body.seed

    def make_body(self) -> WalkingBody:
        """The body of this session."""
        return WalkingBody(self.body)

    def make_imu(self, body: WalkingBody, site: str) -> Imu:
        """The sensor at ``site``, with the ranges of the device."""
        mounting = dict(self.mountings).get(site) or draw_mounting(site, self.seed, self.orientation)
        return Imu(
            body,
            site,
            mounting,
            QUALITIES[self.quality],
            self.seed,
            acc_range_m_s2=(24.0 if self.device == "ximu3" else 16.0) * GRAVITY_M_S2,
            gyr_range_rad_s=float(np.radians(2000.0)),
            bandwidth_hz=self.bandwidth_hz,
        )

    def make_clock(self, site: str) -> SensorClock:
        """The clock of the sensor at ``site``."""
        return draw_clock(site, self.seed, self.clock_drift_ppm)

    def faults_at(self, site: str) -> FaultPlan:
        """What goes wrong at ``site``."""
        return dict(self.faults_of).get(site, self.faults)
