"""One leg of sensors for hours, whose samples say when they were measured, however long ago the session began."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from subtalar_sim.clock import SensorClock
from subtalar_sim.firmware.registry import find_simulated
from subtalar_sim.sensor import ImuSamples
from subtalar_sim.serve.trial import Trial, make_trial
from subtalar_sim.types import GRAVITY_M_S2, FloatArray

_FINE_S: Final = 2.0
_COARSE_S: Final = 64.0
_RATE_RAD_S: Final = float(np.radians(900.0))
_U32_US_S: Final = 2**32 * 1e-6
_WRAPS_S: Final = {"shimmer3": 2**24 / 32768}
_WRAPS_AFTER_S: Final = 80.0


class TurningTeller:
    """Two hands of a watch: angular velocity goes round once in two seconds, specific force once in 64.

    A mean of neighbouring samples shows the mean of their times: devices may average.
    """

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        """See ``SampleSource``."""
        return ImuSamples(
            t_s, _hand(t_s, _COARSE_S, GRAVITY_M_S2), _hand(t_s, _FINE_S, _RATE_RAD_S), self.orientation(t_s)
        )

    def orientation(self, t_s: FloatArray) -> FloatArray:
        """See ``SampleSource``."""
        return np.broadcast_to(np.eye(3), (len(t_s), 3, 3))


def _hand(t_s: FloatArray, round_s: float, length: float) -> FloatArray:
    angle = 2.0 * np.pi * np.mod(t_s, round_s) / round_s
    return length * np.column_stack([np.cos(angle), np.sin(angle), np.zeros(len(t_s))])


def _read(hand: FloatArray, round_s: float, near_s: FloatArray) -> FloatArray:
    """The time that is nearest to ``near_s`` (n,) at which a hand (n, 3) stands like this."""
    t = np.arctan2(hand[:, 1], hand[:, 0]) * round_s / (2.0 * np.pi)
    return np.asarray(t + round_s * np.round((near_s - t) / round_s))


@dataclass(frozen=True)
class HoursTrial(Trial):
    """A trial that can say for hours when a sample was measured."""

    def told_time_near_s(self, acc_m_s2: FloatArray, gyr_rad_s: FloatArray, near_s: FloatArray) -> FloatArray:
        """True session times (n,) of samples (n, 3) that arrived within half a minute of them, at ``near_s`` (n,)."""
        return _read(gyr_rad_s, _FINE_S, _read(acc_m_s2, _COARSE_S, near_s))


def make_hours_trial(device: str, script: str, now: Callable[[], float], seed: int = 0) -> HoursTrial:
    """Foot and shank of one leg over the device's usual route, on clocks that run apart as far as crystals do.

    The foot's runs 50 ppm fast; the shank's 40 ppm slow, and 10 ppm more and less within forty minutes, as by warmth.
    Those that wrap do so after little more than a minute first, then as often as they do: every 512 s the 24 bits of a
    Shimmer3, every 72 min the 32 bits of others.
    Raises ValueError for nonsense.
    """
    offset_s = _WRAPS_S.get(device, _U32_US_S) - _WRAPS_AFTER_S
    clocks = {
        "right_foot": SensorClock(offset_s, 50.0),
        "right_shank": SensorClock(offset_s + 17.0, -40.0, sway_ppm=10.0, sway_period_s=2400.0),
    }
    transport = find_simulated(device).transports[0]
    made = make_trial(device, transport, script, now, seed=seed, source=TurningTeller(), clocks=clocks)
    return HoursTrial(**vars(made))
