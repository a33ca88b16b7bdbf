"""What the peers are told: mounting, clocks and gyroscope biases, taken from the truth of a trial.

The trial's files hold none of it, so it is found where truth leaves no freedom. The biases: the mean rate in the
annotated standing. Of the shank sensor: the vertical of
standing, and the axis about which the knee bends turn it (the foot rests, so its rate is minus the true rate of
dorsiflexion). Of the foot sensor: the rotation that fits its angular rate best to the one that the shank's rate and the
true ankle angles give (Kabsch 1976, doi 10.1107/S0567739476001873). Of the clocks: the delays at which that fits
best.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from subtalar.errors import InputError
from subtalar.estimation.clocks.sensor_clock import lower_line
from subtalar.session.interleave import by_site
from subtalar.types import BodySite, FloatArray, SampleBlock, Side
from subtalar_bench.accuracy.truth_trial import TruthTrial
from subtalar_bench.arrays import at, rotation_to

_BIN_S = 1.0
_MOST_DRIFT = 300e-6
_DELAYS_S = np.arange(0.0, 0.0501, 0.0025)
_FINE_S = np.arange(-0.002, 0.00201, 0.0005)
_FITTED_S = 60.0
_SETTLE_S = 0.4


@dataclass(frozen=True)
class Sensor:
    """Evenly sampled over a whole trial: time (n,) on the true clock, specific force and rate (n, 3) in sensor axes;
    ``to_segment`` (3, 3) takes them to segment axes.
    """

    time_s: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    to_segment: FloatArray

    @property
    def rate_hz(self) -> float:
        """Samples a second."""
        return float((len(self.time_s) - 1) / (self.time_s[-1] - self.time_s[0]))

    def rate_at(self, t: FloatArray) -> FloatArray:
        """Angular rate (m, 3) in sensor axes at other times."""
        return at(t, self.time_s, self.gyr_rad_s)


@dataclass(frozen=True)
class PeerInput:
    """Both sensors of a leg, and when the person stood last before the walk."""

    side: Side
    foot: Sensor
    shank: Sensor
    standing: tuple[float, float]


def input_from_truth(trial: TruthTrial, side: Side) -> PeerInput:
    """Everything about one leg of a trial. Raises InputError where the trial has no knee bends."""
    blocks = by_site(trial.blocks())
    foot, shank = (_unbiased(even(blocks[BodySite.of(side, s)]), trial) for s in ("foot", "shank"))
    bends = trial.span("knee_bends")
    standing = bends.end_s + _SETTLE_S, trial.walking.start_s - _SETTLE_S
    if standing[1] <= standing[0]:
        raise InputError(f"{trial.name} has no standing between knee bends and walk: the peers cannot be told enough.")
    shank_axes = _shank_axes(trial, side, shank, standing)
    foot_axes, foot_delay_s, shank_delay_s = _foot_axes(trial, side, foot, shank, shank_axes)
    return PeerInput(
        side,
        _moved(foot, foot_delay_s, foot_axes),
        _moved(shank, shank_delay_s, shank_axes),
        standing,
    )


def even(block: SampleBlock) -> Sensor:
    """Session time by the lower line of the arrivals over the whole trial; lost samples filled by straight lines."""
    device, host = block.device_time_s, block.host_time_s
    if device is None or host is None:
        raise InputError("The peers need trials with both clocks.")
    x, y = device - device[0], host - device
    edges = np.searchsorted(x, np.arange(0.0, x[-1], _BIN_S))
    lowest = [a + int(np.argmin(y[a:b])) for a, b in zip(edges, [*edges[1:], len(x)], strict=True) if b > a]
    slope, intercept = lower_line(x[lowest], y[lowest], _MOST_DRIFT)
    session = device + intercept + slope * x
    period = float(np.median(np.diff(device)))
    number = np.round((device - device[0]) / period)
    whole = np.arange(int(number[-1]) + 1, dtype=np.float64)

    def filled(values: FloatArray) -> FloatArray:
        return np.ascontiguousarray(at(whole, number, values))

    time_s = np.interp(whole, number, session)
    return Sensor(time_s, filled(block.acc_m_s2), filled(block.gyr_rad_s), np.eye(3))


def _unbiased(sensor: Sensor, trial: TruthTrial) -> Sensor:
    standing = trial.span("standing")
    still = (sensor.time_s > standing.start_s + _SETTLE_S) & (sensor.time_s < standing.end_s)
    return replace(sensor, gyr_rad_s=sensor.gyr_rad_s - sensor.gyr_rad_s[still].mean(axis=0))


def _moved(sensor: Sensor, delay_s: float, axes: FloatArray) -> Sensor:
    return replace(sensor, time_s=sensor.time_s - delay_s, to_segment=axes)


def _shank_axes(trial: TruthTrial, side: Side, shank: Sensor, standing: tuple[float, float]) -> FloatArray:
    still = (shank.time_s > standing[0]) & (shank.time_s < standing[1])
    up = shank.acc_m_s2[still].mean(axis=0)
    up /= np.linalg.norm(up)
    bends = trial.span("knee_bends")
    inside = (shank.time_s > bends.start_s) & (shank.time_s < bends.end_s)
    bending = np.gradient(trial.angles_deg[side][:, 0], trial.time_s)
    right = -(np.interp(shank.time_s[inside], trial.time_s, bending) @ shank.gyr_rad_s[inside])
    right -= up * (right @ up)
    right /= np.linalg.norm(right)
    return np.stack((np.cross(up, right), up, right))


def true_rotation(angles_deg: FloatArray, side: Side) -> Rotation:
    """Foot axes to shank axes from ankle angles (n, 3): Cardan Z-X'-Y'' with the clinical signs of the contract."""
    mirror = 1.0 if side == "right" else -1.0
    # The tibia turning inward is the foot turning outward under it.
    return Rotation.from_euler("ZXY", angles_deg * np.array([1.0, mirror, -mirror]), degrees=True)


def _foot_axes(
    trial: TruthTrial, side: Side, foot: Sensor, shank: Sensor, shank_axes: FloatArray
) -> tuple[FloatArray, float, float]:
    """Axes (3, 3) of the foot, delays (s) of foot and shank."""
    walk = trial.walking
    inside = (trial.time_s > walk.start_s) & (trial.time_s < walk.start_s + _FITTED_S)
    t = trial.time_s[inside]
    turned = true_rotation(trial.angles_deg[side][inside], side)
    # Angular rate of the foot relative to the shank, in foot axes, from the truth itself.
    step = turned[:-2].inv() * turned[2:]
    own = step.as_rotvec() / (t[2:] - t[:-2])[:, None]
    t, turned = t[1:-1], turned[1:-1]

    def best(foot_delays: FloatArray, shank_delays: FloatArray) -> tuple[float, float]:
        measured = [foot.rate_at(t + d) for d in foot_delays]
        expected = [turned.inv().apply(shank.rate_at(t + d) @ shank_axes.T) + own for d in shank_delays]
        misfit = [[_misfit(e, m) for e in expected] for m in measured]
        i, k = np.unravel_index(int(np.argmin(misfit)), (len(foot_delays), len(shank_delays)))
        return float(foot_delays[i]), float(shank_delays[k])

    foot_s, shank_s = best(_DELAYS_S, _DELAYS_S)
    foot_s, shank_s = best(foot_s + _FINE_S, shank_s + _FINE_S)
    expected = turned.inv().apply(shank.rate_at(t + shank_s) @ shank_axes.T) + own
    return kabsch(expected, foot.rate_at(t + foot_s)), foot_s, shank_s


def kabsch(expected: FloatArray, measured: FloatArray) -> FloatArray:
    """The rotation (3, 3) that takes measured vectors (n, 3) nearest to the expected; their means are left out."""
    return rotation_to(expected - expected.mean(axis=0), measured - measured.mean(axis=0))


def _misfit(expected: FloatArray, measured: FloatArray) -> float:
    left = expected - measured @ kabsch(expected, measured).T
    return float(np.mean((left - left.mean(axis=0)) ** 2))
