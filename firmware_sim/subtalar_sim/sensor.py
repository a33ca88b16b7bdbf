"""An IMU strapped to a segment: where it sits, what it feels, and what it gets wrong."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from subtalar_sim.body import WalkingBody
from subtalar_sim.body.rotations import about_x, about_y, about_z, small_log
from subtalar_sim.types import GRAVITY_M_S2, BoolArray, FloatArray, split_site

_STENCIL_S: Final = 5e-4
_LOWPASS_TAPS: Final = 8
_SLIP_LASTS_S: Final = 0.3


@dataclass(frozen=True)
class Mounting:
    """Where a sensor sits: ``lever_m`` from the ankle joint centre in the segment frame (x anterior, y up, z right);
    ``q_segment_sensor`` (w, x, y, z) maps sensor axes into the segment frame.
    """

    lever_m: tuple[float, float, float]
    q_segment_sensor: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)

    def matrix(self) -> FloatArray:
        """``q_segment_sensor`` as a (3, 3) matrix. Raises ValueError for a quaternion of no length."""
        q = np.asarray(self.q_segment_sensor)
        norm = float(np.linalg.norm(q))
        if norm < 1e-6:
            raise ValueError("a mounting needs a quaternion of unit length, not zeros")
        w, x, y, z = q / norm
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )


def quaternion_of(R: FloatArray) -> FloatArray:
    """Rotation matrices (n, 3, 3) -> quaternions (n, 4), scalar first, scalar part not negative (Bar-Itzhack form)."""
    xx, yy, zz = R[..., 0, 0], R[..., 1, 1], R[..., 2, 2]
    q = 0.5 * np.sqrt(
        np.maximum(np.stack([1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz], axis=-1), 0.0)
    )
    q[..., 1] = np.copysign(q[..., 1], R[..., 2, 1] - R[..., 1, 2])
    q[..., 2] = np.copysign(q[..., 2], R[..., 0, 2] - R[..., 2, 0])
    q[..., 3] = np.copysign(q[..., 3], R[..., 1, 0] - R[..., 0, 1])
    return np.asarray(q, dtype=np.float64)


def draw_mounting(site: str, seed: int, orientation: str = "typical") -> Mounting:
    """A plausible mounting: on the instep or on the outside of the lower shank, a little different for every seed.

    ``orientation``: ``aligned`` with the segment, ``typical`` (as people strap sensors on, up to some 15° off) or
    ``any`` (uniformly random). Raises ValueError for another word.
    """
    side, segment = split_site(site)
    s = 1.0 if side == "right" else -1.0
    rng = np.random.default_rng([seed, 11, *site.encode()])
    centre = np.array([0.065, -0.020, 0.0]) if segment == "foot" else np.array([0.015, 0.140, 0.045 * s])
    lever = centre + rng.normal(0.0, [0.008, 0.004, 0.006] if segment == "foot" else [0.006, 0.020, 0.006])
    if orientation == "aligned":
        R = np.eye(3)
    elif orientation == "any":
        q = rng.normal(size=4)
        return Mounting(_three(lever), _four(q / np.linalg.norm(q)))
    elif orientation == "typical":
        tilt = np.radians(rng.normal(0.0, 6.0, (3, 1)))
        wobble = (about_x(tilt[0]) @ about_y(tilt[1]) @ about_z(tilt[2]))[0]
        if segment == "foot":  # face up on the sloping instep, x towards the toes
            R = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]]) @ about_y(np.radians([22.0]))[0] @ wobble
        else:  # face outwards on the side of the leg, x upwards
            R = np.array([[0, -s, 0], [1.0, 0, 0], [0, 0, s]]) @ wobble
    else:
        raise ValueError(f"orientation is aligned, typical or any, not {orientation!r}")
    return Mounting(_three(lever), _four(quaternion_of(R)))


def _three(v: FloatArray) -> tuple[float, float, float]:
    return float(v[0]), float(v[1]), float(v[2])


def _four(v: FloatArray) -> tuple[float, float, float, float]:
    return float(v[0]), float(v[1]), float(v[2]), float(v[3])


@dataclass(frozen=True)
class SensorQuality:
    """Errors of a sensor, standard deviations from which one unit is drawn. ``*_drift`` is a random walk per √s."""

    gyr_noise_rad_s_sqrt_hz: float
    gyr_bias_rad_s: float
    gyr_drift_rad_s_sqrt_s: float
    acc_noise_m_s2_sqrt_hz: float
    acc_bias_m_s2: float
    acc_drift_m_s2_sqrt_s: float
    scale: float
    misalignment_rad: float


def _quality(gyr: tuple[float, float, float], acc: tuple[float, float, float], scale: float) -> SensorQuality:
    """From data-sheet units: deg/s/√Hz, deg/s, deg/s/√s; µg/√Hz, mg, µg/√s; scale error as a fraction."""
    g = GRAVITY_M_S2
    noise, bias, drift = (float(np.radians(v)) for v in gyr)
    return SensorQuality(noise, bias, drift, acc[0] * 1e-6 * g, acc[1] * 1e-3 * g, acc[2] * 1e-6 * g, scale, scale)


QUALITIES: Final[dict[str, SensorQuality]] = {
    "perfect": _quality((0, 0, 0), (0, 0, 0), 0.0),
    # Noise as in the data sheets of ICM-42688 (good) and MPU-9250 (typical); bias after, and without, a factory trim.
    "good": _quality((0.004, 0.08, 0.0004), (80, 4, 8), 0.001),
    "typical": _quality((0.010, 0.35, 0.0012), (300, 15, 25), 0.004),
    "poor": _quality((0.030, 1.8, 0.0060), (600, 40, 80), 0.010),
}


@dataclass(frozen=True)
class ImuSamples:
    """n samples in the sensor's axes: specific force (+1 g up at rest) and angular velocity, (n, 3) each.

    ``t_s`` (n,) true times; ``orientation`` (n, 3, 3) maps sensor axes into the world. ``measured`` (n,) is False where
    there was nothing to measure and the numbers mean nothing; None: all were.
    """

    t_s: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    orientation: FloatArray
    measured: BoolArray | None = None


class Measures(Protocol):
    """Anything that can be measured at rising times."""

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        """Samples at true times ``t_s`` (n,)."""
        ...

    def orientation(self, t_s: FloatArray) -> FloatArray:
        """Sensor axes into the world at any times (n,): (n, 3, 3)."""
        ...


def clipped(
    values: FloatArray, t_s: FloatArray, full: float, saturation: tuple[tuple[float, float, float], ...] = ()
) -> FloatArray:
    """Values (n, 3) at times ``t_s`` (n,) within ±``full``, or the share of it that ``saturation`` leaves."""
    limit = np.full((len(t_s), 1), full)
    for start, length, share in saturation:
        limit[(t_s >= start) & (t_s < start + length)] = share * full
    return np.asarray(np.clip(values, -limit, limit), dtype=np.float64)


class Imu:
    """One unit on one segment. ``measure`` is called with rising times; its noise goes on from call to call.

    How a run of times is cut into calls does not change the numbers. Ranges are the magnitudes at which a channel
    clips; in the spans of ``saturation`` (start, length, share) it is that share of them. ``bandwidth_hz`` smooths like
    the sensor's own low-pass, with the delay of a causal filter; None: no filter. ``unit`` names the one of which it
    has the errors, the site if empty. ``slips``: (time, degrees) by which the strap turns about the segment's long
    axis within a third of a second.
    """

    def __init__(
        self,
        body: WalkingBody,
        site: str,
        mounting: Mounting,
        quality: SensorQuality,
        seed: int,
        *,
        acc_range_m_s2: float = 16 * GRAVITY_M_S2,
        gyr_range_rad_s: float = float(np.radians(2000.0)),
        bandwidth_hz: float | None = None,
        unit: str = "",
        slips: tuple[tuple[float, float], ...] = (),
        saturation: tuple[tuple[float, float, float], ...] = (),
    ) -> None:
        self.body, self.site, self.mounting, self.quality = body, site, mounting, quality
        self.side, self.segment = split_site(site)
        self.acc_range_m_s2, self.gyr_range_rad_s = acc_range_m_s2, gyr_range_rad_s
        self.bandwidth_hz = bandwidth_hz
        self._R, self._lever = mounting.matrix(), np.asarray(mounting.lever_m)
        self._slips, self._saturation = slips, saturation
        name = (unit or site).encode()
        dice = np.random.default_rng([seed, 12, *name])
        q = quality
        self.gyr_bias_rad_s = dice.normal(0.0, 1.0, 3) * q.gyr_bias_rad_s
        self.acc_bias_m_s2 = dice.normal(0.0, 1.0, 3) * q.acc_bias_m_s2
        self.gyr_matrix = self._error_matrix(dice)
        self.acc_matrix = self._error_matrix(dice)
        self._rng = np.random.default_rng([seed, 13, *name])
        self._last_t: float | None = None

    def _error_matrix(self, unit: np.random.Generator) -> FloatArray:
        q = self.quality
        cross = unit.normal(0.0, 1.0, (3, 3)) * q.misalignment_rad
        np.fill_diagonal(cross, unit.normal(0.0, 1.0, 3) * q.scale)
        return np.eye(3) + cross

    def ideal(self, t_s: FloatArray) -> ImuSamples:
        """What a perfect sensor in this place feels at times ``t_s`` (n,): no noise, no limits."""
        t = np.asarray(t_s, dtype=np.float64)
        n, h = len(t), _STENCIL_S
        times = np.concatenate([t - 2 * h, t - h, t, t + h, t + 2 * h])
        state = self.body.pose(self.side, times)
        segment = self._strap(times, state.foot if self.segment == "foot" else state.shank)
        p = (state.ankle_m + segment @ self._lever).reshape(5, n, 3)
        R = (segment @ self._R).reshape(5, n, 3, 3)
        # Fourth-order central differences: the motion is smooth, the step far below any sample period.
        acc = (-p[0] + 16 * p[1] - 30 * p[2] + 16 * p[3] - p[4]) / (12 * h * h)
        acc[:, 2] += GRAVITY_M_S2
        back = np.swapaxes(R[2], -1, -2)
        turn = [small_log(back @ R[i]) for i in (0, 1, 3, 4)]
        gyr = (turn[0] - 8 * turn[1] + 8 * turn[2] - turn[3]) / (12 * h)
        return ImuSamples(t, np.einsum("nij,nj->ni", back, acc), gyr, R[2])

    def orientation(self, t_s: FloatArray) -> FloatArray:
        """Sensor axes into the world at any times (n,): (n, 3, 3)."""
        state = self.body.pose(self.side, t_s)
        segment = self._strap(t_s, state.foot if self.segment == "foot" else state.shank)
        return np.asarray(segment @ self._R, dtype=np.float64)

    def _strap(self, t_s: FloatArray, segment: FloatArray) -> FloatArray:
        """The strap's axes in the world (n, 3, 3): those of the segment, unless it slipped."""
        if not self._slips:
            return segment
        angle = np.zeros(len(t_s))
        for at_s, by_deg in self._slips:
            done = np.clip((t_s - at_s) / _SLIP_LASTS_S, 0.0, 1.0)
            angle += np.radians(by_deg) * done**3 * (done * (6.0 * done - 15.0) + 10.0)
        return np.asarray(segment @ about_y(angle), dtype=np.float64)

    def _felt(self, t: FloatArray) -> ImuSamples:
        if self.bandwidth_hz is None:
            return self.ideal(t)
        lag = (np.arange(_LOWPASS_TAPS) + 0.5) / _LOWPASS_TAPS / self.bandwidth_hz
        weight = np.sin(np.pi * lag * self.bandwidth_hz) ** 2
        weight /= weight.sum()
        wide = self.ideal((t[:, None] - lag).ravel())
        n = len(t)
        acc = np.einsum("nkj,k->nj", wide.acc_m_s2.reshape(n, -1, 3), weight)
        gyr = np.einsum("nkj,k->nj", wide.gyr_rad_s.reshape(n, -1, 3), weight)
        return ImuSamples(t, acc, gyr, wide.orientation.reshape(n, -1, 3, 3)[:, _LOWPASS_TAPS // 2])

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        """Samples at times ``t_s`` (n,), each later than all before; ``rate_hz`` sets how strong white noise is."""
        true = self._felt(np.asarray(t_s, dtype=np.float64))
        n, q = len(true.t_s), self.quality
        dice = self._rng.standard_normal((n, 12))
        first = true.t_s[0] if n and self._last_t is None else self._last_t
        gaps = np.sqrt(np.maximum(np.diff(true.t_s, prepend=first if first is not None else 0.0), 0.0))[:, None]
        white = np.sqrt(rate_hz / 2.0)
        # A cumulative sum that starts from the state of the call before is the same sum however it is cut.
        gyr_bias = np.cumsum(np.vstack([self.gyr_bias_rad_s, dice[:, 6:9] * gaps * q.gyr_drift_rad_s_sqrt_s]), axis=0)
        acc_bias = np.cumsum(np.vstack([self.acc_bias_m_s2, dice[:, 9:12] * gaps * q.acc_drift_m_s2_sqrt_s]), axis=0)
        self.gyr_bias_rad_s, self.acc_bias_m_s2 = gyr_bias[-1], acc_bias[-1]
        if n:
            self._last_t = float(true.t_s[-1])
        gyr = np.einsum("ij,nj->ni", self.gyr_matrix, true.gyr_rad_s) + gyr_bias[1:]
        acc = np.einsum("ij,nj->ni", self.acc_matrix, true.acc_m_s2) + acc_bias[1:]
        gyr += dice[:, 0:3] * (q.gyr_noise_rad_s_sqrt_hz * white)
        acc += dice[:, 3:6] * (q.acc_noise_m_s2_sqrt_hz * white)
        return ImuSamples(
            true.t_s,
            clipped(acc, true.t_s, self.acc_range_m_s2, self._saturation),
            clipped(gyr, true.t_s, self.gyr_range_rad_s, self._saturation),
            true.orientation,
        )


class MovedImu:
    """One unit that is moved to other sites: ``later`` is (time, the same unit on the site it is moved to)."""

    def __init__(self, first: Measures, later: tuple[tuple[float, Measures], ...]) -> None:
        self._places = ((-np.inf, first), *later)

    def _parts(self, t_s: FloatArray) -> list[tuple[Measures, FloatArray]]:
        ends = [*(begin for begin, _ in self._places[1:]), np.inf]
        parts = [(imu, t_s[(t_s >= a) & (t_s < b)]) for (a, imu), b in zip(self._places, ends, strict=True)]
        return [part for part in parts if len(part[1])] or parts[:1]

    def measure(self, t_s: FloatArray, rate_hz: float) -> ImuSamples:
        """See ``Imu``."""
        found = [imu.measure(t, rate_hz) for imu, t in self._parts(t_s)]
        measured = [np.ones(len(f.t_s), dtype=np.bool_) if f.measured is None else f.measured for f in found]
        return ImuSamples(
            np.concatenate([f.t_s for f in found]),
            np.concatenate([f.acc_m_s2 for f in found]),
            np.concatenate([f.gyr_rad_s for f in found]),
            np.concatenate([f.orientation for f in found]),
            np.concatenate(measured),
        )

    def orientation(self, t_s: FloatArray) -> FloatArray:
        """See ``Imu``."""
        return np.concatenate([imu.orientation(t) for imu, t in self._parts(t_s)])
