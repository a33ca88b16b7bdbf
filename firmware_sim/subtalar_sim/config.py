"""All that makes one simulated session, in a frozen value that crosses process borders."""

from dataclasses import dataclass, field, replace
from typing import Final, Self

from subtalar_sim.body import BodyConfig, WalkingBody
from subtalar_sim.clock import SensorClock, draw_clock
from subtalar_sim.faults import NO_FAULTS, FaultPlan, FaultScript
from subtalar_sim.firmware.registry import SimulatedDevice, find_simulated
from subtalar_sim.motion import RecordedBody, RecordedMotion, RecordedSource
from subtalar_sim.sensor import QUALITIES, Imu, Measures, Mounting, MovedImu, draw_mounting
from subtalar_sim.types import SITES, split_site

Body = WalkingBody | RecordedBody
FASTEST: Final = 100.0
"""Times real time that sensors can be served at: more than a computer manages anyway."""


@dataclass(frozen=True)
class SimulationConfig:
    """Body, sensors, device and faults of a session. Picklable; equal configurations give equal numbers.

    ``device``: a key of ``subtalar_sim.firmware.registry.SIMULATED``; ``transport``: one it has, None for its usual
    one; ``port``: first port, 0 for any free ones. ``rate_hz``: 0 for the device's usual one.
    ``quality``: a key of ``subtalar_sim.sensor.QUALITIES``. ``orientation``: ``aligned``, ``typical`` or ``any``;
    ``mountings`` overrides it for single sites. ``faults`` apply to every sensor, ``faults_of`` to single sites.
    ``speed`` paces live serving; ``waits``: the person stands still until all sensors stream (recorded motion always
    waits; see ``subtalar_sim.serve.beginning``).

    ``motion``: what was recorded once is measured again instead of ``body``, once or, with ``loop``, over and over; by
    all sensors that it has if ``sites`` are all there are. Mounting and errors are then those of the recorded sensors.
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
    motion: RecordedMotion | None = None
    loop: bool = False
    waits: bool = False

    def __post_init__(self) -> None:
        self._check_sites()
        if not 0.0 < self.speed <= FASTEST:
            raise ValueError(f"speed is more than 0 and at most {FASTEST:g}, not {self.speed:g}")
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
        if self.motion is not None:
            self._check_motion(self.motion)

    def _check_sites(self) -> None:
        if isinstance(self.sites, str):
            raise ValueError(f"sites are a tuple, as in ({self.sites!r},)")
        for site in (*self.sites, *(site for site, _ in self.faults_of)):
            split_site(site)
        if not self.sites or len(set(self.sites)) < len(self.sites):
            raise ValueError(f"every sensor has a site of its own, and there is at least one: not {self.sites}")

    def _check_motion(self, motion: RecordedMotion) -> None:
        recorded = tuple(site for site in SITES if site in motion.sensors)
        if self.sites == SITES:
            object.__setattr__(self, "sites", recorded)
        for site in self.sites:
            plan = self.faults_at(site)
            if plan.slips:
                raise ValueError(
                    "a strap cannot slip in recorded motion: nobody knows how the sensor sat on the segment"
                )
            for needed in (site, *(to for _, to in plan.moves)):
                if needed not in recorded:
                    raise ValueError(f"{motion.name} has no sensor at {needed}: it has {', '.join(recorded)}")

    @property
    def model(self) -> SimulatedDevice:
        """What there is to know about the device."""
        return find_simulated(self.device)

    @property
    def seed(self) -> int:
        """The one seed of body, sensors, clocks and faults."""
        return self.body.seed

    def make_body(self) -> WalkingBody:
        """The walking body of this session; with ``motion`` nothing measures it."""
        return WalkingBody(self.body)

    def make_mover(self) -> Body:
        """What the sensors measure: the walking body, or the recorded one, which begins at once."""
        return self.make_body() if self.motion is None else RecordedBody(self.motion, loop=self.loop)

    def make_imu(self, body: WalkingBody, site: str) -> Imu:
        """The sensor that was strapped on at ``site``, with the ranges of the device."""
        return self._imu(body, site, site)

    def make_source(self, body: Body, site: str) -> Measures:
        """As ``make_imu``, but on another site from the times on at which the plan moves it there, and on any body."""
        here = self._source(body, site, site)
        moves = self.faults_at(site).moves
        return MovedImu(here, tuple((t, self._source(body, to, site)) for t, to in sorted(moves))) if moves else here

    def _source(self, body: Body, site: str, unit: str) -> Measures:
        if isinstance(body, WalkingBody):
            return self._imu(body, site, unit)
        return RecordedSource(
            body,
            site,
            acc_range_m_s2=self.model.acc_range_m_s2,
            gyr_range_rad_s=self.model.gyr_range_rad_s,
            saturation=self.faults_at(unit).saturation,
        )

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
