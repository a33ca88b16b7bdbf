"""One trial of a host: a few sensors in memory with faults, whose samples say themselves when they were measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from subtalar_sim.clock import SensorClock, SessionClock, draw_clock
from subtalar_sim.faults import DelayLine, FaultPlan, GapDrawer, SentLedger, parse_faults
from subtalar_sim.faults.draw import random_script
from subtalar_sim.firmware.base import SampleSource, Sampling, Unit
from subtalar_sim.firmware.registry import SIMULATED, find_simulated
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.serve.delivery import Delivery
from subtalar_sim.serve.memory import MemoryLink
from subtalar_sim.serve.pump import Pump
from subtalar_sim.types import GRAVITY_M_S2, SITES, FloatArray

_COARSE_DEG_S2: Final = 5.0
_FINE_DEG_S2: Final = 100.0
_FINE_S: Final = 10.0
_FAST_ENOUGH_HZ: Final = 50.0


class TimeTeller:
    """A source at rest whose angular velocity is a clock: x the time, y the time within ten seconds, finely."""

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        """See ``SampleSource``; up to 300 s."""
        n = len(t_s)
        acc = np.zeros((n, 3))
        acc[:, 2] = GRAVITY_M_S2
        gyr = np.radians(np.column_stack([_COARSE_DEG_S2 * t_s, _FINE_DEG_S2 * np.mod(t_s, _FINE_S), np.zeros(n)]))
        return ImuSamples(t_s, acc, gyr, self.orientation(t_s))

    def orientation(self, t_s: FloatArray) -> FloatArray:
        """See ``SampleSource``."""
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def told_time_s(gyr_rad_s: FloatArray, *, averaged: bool = False) -> FloatArray:
    """When samples (n, 3) of a ``TimeTeller`` were measured; ``averaged``: by a device that averages, as x-IMU3."""
    coarse, fine = np.degrees(gyr_rad_s[:, 0]) / _COARSE_DEG_S2, np.degrees(gyr_rad_s[:, 1]) / _FINE_DEG_S2
    return np.asarray(coarse if averaged else fine + _FINE_S * np.round((coarse - fine) / _FINE_S))


@dataclass(frozen=True)
class TrialSensor:
    """One sensor of a trial. ``asked_hz``: the rate that the host was told to ask for."""

    link: MemoryLink
    ledger: SentLedger
    plan: FaultPlan
    firmware: Sampling
    clock: SensorClock
    asked_hz: float
    pump: Pump

    @property
    def true_rate_hz(self) -> float:
        """Samples a true second, as it is set now: a Shimmer3 that is asked for 50 Hz keeps 49.95 Hz."""
        set_hz: float = getattr(self.firmware, "rate_hz", self.asked_hz)
        return self.clock.true_rate(set_hz)


@dataclass(frozen=True)
class Trial:
    """Sensors that run on the event loop from ``start`` to ``stop``. ``sensors`` by site."""

    device: str
    transport: str
    script: str
    rate_hz: float
    has_device_time: bool
    sensors: dict[str, TrialSensor]

    @property
    def measures_on(self) -> bool:
        """Whether the device keeps its beat when the link is lost; others are started anew by the host."""
        return self.device == "ximu3"

    def start(self) -> None:
        """Begin; needs a running event loop."""
        for sensor in self.sensors.values():
            sensor.pump.start()

    def stop(self) -> None:
        """Nothing moves after this."""
        for sensor in self.sensors.values():
            sensor.pump.stop()

    def told_time_s(self, gyr_rad_s: FloatArray) -> FloatArray:
        """When samples (n, 3) were measured, true session seconds, up to a constant."""
        return told_time_s(gyr_rad_s, averaged=self.device == "ximu3")


def make_trial(
    device: str,
    transport: str,
    script: str,
    now: Callable[[], float],
    *,
    seed: int = 0,
    sensors: int = 1,
    source: SampleSource | None = None,
    clocks: Mapping[str, SensorClock] | None = None,
) -> Trial:
    """A trial with the faults of ``script`` on the clock ``now`` (seconds). Raises ValueError for nonsense.

    ``source`` is what the sensors feel, a ``TimeTeller`` unless given. ``clocks``: the sites and their clocks; a clock
    is drawn for each of the first ``sensors`` sites unless given.
    """
    known = find_simulated(device)
    rate_hz = min((r for r in known.rates_hz if r >= _FAST_ENOUGH_HZ), default=max(known.rates_hz))
    faults = parse_faults(script)
    clock = SessionClock(1.0, now)
    made = {}
    clocks = clocks or {site: draw_clock(site, seed) for site in SITES[:sensors]}
    for number, (site, drawn) in enumerate(clocks.items()):
        plan = dict(faults.of).get(site, faults.everywhere)
        plan.check_transport(transport)
        unit = Unit(
            source=source or TimeTeller(),
            clock=replace(drawn, jumps=tuple(sorted(plan.clock_jumps))),
            gaps=GapDrawer(plan, rate_hz, seed, site),
            rate_hz=rate_hz,
            serial_number=number,
            interface=transport,
            empty_s=plan.battery_empty_s,
        )
        firmware = known.make(unit)
        link = MemoryLink(firmware, clock.session_s, plan.mtu, transport=transport)
        delivery = Delivery(firmware, link, plan, DelayLine(plan, seed, site, firmware.ledger))
        delivery.switch(0.0)
        pump = Pump(delivery, clock)
        link.on_activity = pump.rearm
        made[site] = TrialSensor(link, firmware.ledger, plan, firmware, drawn, rate_hz, pump)
    return Trial(device, transport, script, rate_hz, known.has_device_time, made)


def random_trial(seed: int, duration_s: float, now: Callable[[], float]) -> Trial:
    """A trial by the dice: any device, over any of its routes, one or two sensors, one to five faults."""
    rng = np.random.default_rng([seed, 20])
    routes = [(name, transport) for name, known in SIMULATED.items() for transport in known.transports]
    device, transport = routes[int(rng.integers(len(routes)))]
    script = random_script(seed, duration_s, transport)
    return make_trial(device, transport, script, now, seed=seed, sensors=int(rng.integers(1, 3)))
