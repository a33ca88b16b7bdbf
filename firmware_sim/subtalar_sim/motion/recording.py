"""A recording of real sensors on one time axis: what their clocks say, put together; what is missing, marked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from subtalar_sim.types import FloatArray, IntArray, Side, split_site

_RESTART_S: Final = 1.0
_SHORTEST_S: Final = 2.0
_GAP_PERIODS: Final = 1.5
_PAUSE_S: Final = 0.5
_REST_S: Final = 1.0
_REST_RAD_S: Final = 0.2
_REST_M_S2: Final = 0.5


@dataclass(frozen=True, eq=False)
class Rows:
    """n samples of one sensor as they were recorded, in its own axes: acc and gyr (n, 3); times (n,), one may be None.

    ``device_time_s`` is the sensor's own clock, ``host_time_s`` the arrival: late, and shared by several samples.
    """

    device_time_s: FloatArray | None
    host_time_s: FloatArray | None
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    rate_hz: float


@dataclass(frozen=True, eq=False)
class RecordedSensor:
    """Samples of one sensor on the time axis of the recording; ``run`` (n,) counts up wherever samples are missing."""

    t_s: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    run: IntArray
    rate_hz: float

    @cached_property
    def values(self) -> FloatArray:
        """Acceleration and angular velocity beside each other (n, 6)."""
        return np.hstack([self.acc_m_s2, self.gyr_rad_s])

    @cached_property
    def orientation(self) -> FloatArray:
        """What a sensor's own fusion makes of it: quaternions (n, 4), scalar first, into a world with z up and any
        heading. VQF without magnetometer (Laidig & Seel 2023).
        """
        from vqf import VQF

        found = VQF(1.0 / self.rate_hz).updateBatch(
            np.ascontiguousarray(self.gyr_rad_s), np.ascontiguousarray(self.acc_m_s2)
        )["quat6D"]
        flips = np.cumprod(np.concatenate([[1.0], np.sign(np.sum(found[1:] * found[:-1], axis=1) + 1e-12)]))
        return np.asarray(found * flips[:, None], dtype=np.float64)


Angles = tuple[FloatArray, FloatArray]
"""Times (n,), and dorsiflexion, inversion and tibial rotation in degrees (n, 3)."""


@dataclass(frozen=True, eq=False)
class RecordedMotion:
    """What sensors measured once. Time zero is the first sample of all; ``duration_s`` ends with the last.

    ``truth`` has the true angles of the sides for which they are known, on the same axis; ``annotations`` are
    (label, start, end). Compared by identity: it is megabytes of numbers.
    """

    name: str
    sensors: Mapping[str, RecordedSensor]
    truth: Mapping[Side, Angles] = field(default_factory=dict)
    annotations: tuple[tuple[str, float, float], ...] = ()

    @property
    def duration_s(self) -> float:
        """From the first sample of all to the last."""
        return max(float(sensor.t_s[-1]) for sensor in self.sensors.values())

    @property
    def all_measure_from_s(self) -> float:
        """When the last sensor begins."""
        return max(float(sensor.t_s[0]) for sensor in self.sensors.values())

    @cached_property
    def begins_at_rest(self) -> bool:
        """Whether the person stands still while the recording begins, so that this second can be made longer."""
        begin_s = self.all_measure_from_s
        if begin_s > _REST_S:
            return False
        for sensor in self.sensors.values():
            part = (sensor.t_s >= begin_s) & (sensor.t_s <= begin_s + _REST_S)
            gyr, acc = sensor.gyr_rad_s[part], sensor.acc_m_s2[part]
            if len(gyr) < 0.5 * _REST_S * sensor.rate_hz:
                return False
            if np.abs(gyr - np.median(gyr, axis=0)).max() > _REST_RAD_S or acc.std(axis=0).max() > _REST_M_S2:
                return False
        return True


def motion_from_rows(
    name: str,
    rows: Mapping[str, Rows],
    truth: Mapping[Side, Angles] | None = None,
    annotations: tuple[tuple[str, float, float], ...] = (),
) -> RecordedMotion:
    """Put sensors on one axis: the host's clock without its least delay, or the sensors' own where there is no other.

    Times of ``truth`` and ``annotations`` are on the host's clock. Raises ValueError, in one sentence, for what cannot
    be played.
    """
    if not rows:
        raise ValueError(f"{name} holds no sensor")
    if len({r.host_time_s is None for r in rows.values()}) > 1:
        raise ValueError(f"{name}: some sensors have host_time_s and others have not, so they share no clock")
    sensors = {site: _on_one_clock(name, site, r) for site, r in rows.items()}
    zero_s = min(float(sensor.t_s[0]) for sensor in sensors.values())
    return RecordedMotion(
        name,
        {s: RecordedSensor(r.t_s - zero_s, r.acc_m_s2, r.gyr_rad_s, r.run, r.rate_hz) for s, r in sensors.items()},
        {side: (t - zero_s, angles) for side, (t, angles) in (truth or {}).items()},
        tuple((label, start - zero_s, end - zero_s) for label, start, end in annotations),
    )


def _on_one_clock(name: str, site: str, rows: Rows) -> RecordedSensor:
    split_site(site)
    what = f"{name}: the sensor at {site}"
    acc, gyr, host = rows.acc_m_s2, rows.gyr_rad_s, rows.host_time_s
    given = [v for v in (acc, gyr, host, rows.device_time_s) if v is not None]
    if not all(np.isfinite(v).all() for v in given):
        raise ValueError(f"{what} has values that are no numbers")
    if len(acc) < _SHORTEST_S * rows.rate_hz:
        raise ValueError(f"{what} has {len(acc)} samples: a motion lasts at least {_SHORTEST_S:g} s")
    if not 2.5 < float(np.percentile(np.linalg.norm(acc, axis=1), 25.0)) < 30.0:  # 1 in g, 1000 in milli-g
        raise ValueError(f"{what} does not feel gravity: is its acceleration in m/s²?")
    if float(np.percentile(np.abs(gyr), 99.0)) > 70.0:
        raise ValueError(f"{what} turns faster than any leg: is its angular velocity in rad/s?")
    if rows.device_time_s is None:
        assert host is not None  # a sensor has one of the two
        t, run = _arrivals_to_time(host, rows.rate_hz)
        return RecordedSensor(t, acc, gyr, run, rows.rate_hz)

    device = rows.device_time_s
    if (np.diff(device) < -_RESTART_S).any():
        raise ValueError(f"{what} restarted in the middle, its clock fell back: cut the recording there")
    device, keep = np.unique(device, return_index=True)  # sorted, and each time once
    step_s = np.diff(device)
    period_s = float(np.percentile(step_s, 20))  # low, so that many lost samples do not pass for a slower sensor
    if not 0.7 < period_s * rows.rate_hz < 1.4:
        raise ValueError(f"{what} is said to run at {rows.rate_hz:g} Hz, and its clock says {1.0 / period_s:.4g} Hz")
    run = np.concatenate([[0], np.cumsum(step_s > _GAP_PERIODS * period_s)]).astype(np.int64)
    t = device - device[0] if host is None else _line_below(device, host[keep])
    return RecordedSensor(t, acc[keep], gyr[keep], run, 1.0 / period_s)


def _line_below(device_s: FloatArray, host_s: FloatArray) -> FloatArray:
    """The device's clock on the host's axis: the straight line below all arrivals that is nearest to them.

    Delays only ever add, so the line runs along the lower convex hull where the mean of the times lies
    (Moon, Skelly & Towsley 1999, INFOCOM). Its slope is the drift, its height the least delay, which nobody knows.
    """
    x, y = device_s - device_s[0], host_s - device_s
    hull: list[tuple[float, float]] = []
    # The last sample of each notification is the least late one: only those can be on the hull.
    last = np.flatnonzero(np.append(np.diff(host_s) > 0, True))
    for point in zip(x[last].tolist(), y[last].tolist(), strict=True):
        while len(hull) > 1 and _turns_right(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    corners = np.array(hull)
    if len(corners) < 2:
        return np.asarray(device_s + y.min(), dtype=np.float64)
    edge = int(np.clip(np.searchsorted(corners[:, 0], x.mean()), 1, len(corners) - 1))
    (x0, y0), (x1, y1) = corners[edge - 1], corners[edge]
    return np.asarray(device_s + y0 + (x - x0) * (y1 - y0) / (x1 - x0), dtype=np.float64)


def _turns_right(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) <= (b[1] - a[1]) * (c[0] - a[0])


def _arrivals_to_time(host_s: FloatArray, rate_hz: float) -> tuple[FloatArray, IntArray]:
    """When samples without a clock were measured, and the runs they form: between pauses they are evenly spaced."""
    n = len(host_s)
    pauses = np.flatnonzero(np.diff(host_s) > _PAUSE_S) + 1
    run = np.zeros(n, dtype=np.int64)
    run[pauses] = 1
    run = np.cumsum(run)
    t = np.empty(n)
    for part in np.split(np.arange(n), pauses):
        t[part] = _line_below(part / rate_hz, host_s[part])
    t = np.asarray(np.maximum.accumulate(t + 1e-9 * np.arange(n)), dtype=np.float64)
    return t, run
