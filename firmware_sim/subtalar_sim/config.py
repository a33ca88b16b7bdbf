"""All that makes one simulated session, in a frozen value that crosses process borders."""

from dataclasses import dataclass, field, replace
from typing import Self

from subtalar_sim.body import BodyConfig, WalkingBody
from subtalar_sim.clock import SensorClock, draw_clock
from subtalar_sim.faults import NO_FAULTS, FaultPlan, FaultScript
from subtalar_sim.firmware.registry import SimulatedDevice, find_simulated
from subtalar_sim.sensor import QUALITIES, Imu, Mounting, MovedImu, draw_mounting
from subtalar_sim.types import SITES, split_site


@dataclass(frozen=True)
class SimulationConfig:
    """Body, sensors, device and faults of a session. Picklable; equal configurations give equal numbers.

    ``device``: a key of ``subtalar_sim.firmware.registry.SIMULATED``; ``transport``: one it has, None for its usual
    one; ``port``: first port, 0 for any free ones. ``rate_hz``: 0 for the device's usual one.
    ``quality``: a key of ``subtalar_sim.sensor.QUALITIES``. ``orientation``: ``aligned``, ``typical`` or ``any``;
    ``mountings`` overrides it for single sites. ``faults`` apply to every sensor, ``faults_of`` to single sites.
    ``speed`` paces live serving.
    """

    body: BodyConfig = field(default_factory=BodyConfig)
    sites: tuple[str, ...] = SITES
    device: str = "witmotion"
    transport: str | None = None
    port: int = 0
    rate_hz: float = 0.0
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
        device = find_simulated(self.device)
        if self.transport is not None and self.transport not in device.transports:
            offered = " or ".join(device.transports)
            raise ValueError(f"{self.device} is served over {offered}, not over {self.transport}")
        if self.quality not in QUALITIES:
            raise ValueError(f"no sensor quality {self.quality!r}; there are {', '.join(QUALITIES)}")
        if self.rate_hz == 0.0:
            object.__setattr__(self, "rate_hz", device.default_rate_hz)
        if not 10.0 <= self.rate_hz <= 400.0:
            raise ValueError(f"rate_hz must lie in 10..400, not {self.rate_hz}")

    @property
    def model(self) -> SimulatedDevice:
        """What there is to know about the device."""
        return find_simulated(self.device)

    @property
    def seed(self) -> int:
        """The one seed of body, sensors, clocks and faults."""
        return self.body.seed

    def make_body(self) -> WalkingBody:
        """The body of this session."""
        return WalkingBody(self.body)

    def make_imu(self, body: WalkingBody, site: str) -> Imu:
        """The sensor that was strapped on at ``site``, with the ranges of the device."""
        return self._imu(body, site, site)

    def make_source(self, body: WalkingBody, site: str) -> Imu | MovedImu:
        """As ``make_imu``, but on another site from the times on at which the plan moves it there."""
        imu = self.make_imu(body, site)
        moves = self.faults_at(site).moves
        return MovedImu(imu, tuple((t, self._imu(body, to, site)) for t, to in sorted(moves))) if moves else imu

    def _imu(self, body: WalkingBody, site: str, unit: str) -> Imu:
        mounting = dict(self.mountings).get(site) or draw_mounting(site, self.seed, self.orientation)
        plan = self.faults_at(unit)
        return Imu(
            body,
            site,
            mounting,
            QUALITIES[self.quality],
            self.seed,
            unit=unit,
            slips=plan.slips,
            saturation=plan.saturation,
            acc_range_m_s2=self.model.acc_range_m_s2,
            gyr_range_rad_s=self.model.gyr_range_rad_s,
            bandwidth_hz=self.bandwidth_hz,
        )

    def make_clock(self, site: str) -> SensorClock:
        """The clock of the sensor at ``site``."""
        return replace(
            draw_clock(site, self.seed, self.clock_drift_ppm), jumps=tuple(sorted(self.faults_at(site).clock_jumps))
        )

    def with_faults(self, script: FaultScript) -> Self:
        """The same session with these faults instead."""
        return replace(self, faults=script.everywhere, faults_of=script.of)

    def faults_at(self, site: str) -> FaultPlan:
        """What goes wrong at ``site``."""
        return dict(self.faults_of).get(site, self.faults)
