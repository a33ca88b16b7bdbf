"""The path of a foot from rest to rest, by the estimator's own rests and velocity curves."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from subtalar.estimation.joint.joint_path import ankle_velocity
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.types import FloatArray
from subtalar_bench.accuracy.front_end import rests

_NO_LEVER = np.zeros(3)


@dataclass(frozen=True)
class FootPath:
    """Displacements (n, 3) in metres, z up, from each rest to the next, and the seconds (n,) they took."""

    steps_m: FloatArray
    step_s: FloatArray

    @property
    def lengths_m(self) -> FloatArray:
        """Horizontal stride lengths (n,)."""
        return np.asarray(np.hypot(self.steps_m[:, 0], self.steps_m[:, 1]))

    @property
    def closure_m(self) -> FloatArray:
        """Where the path ends, seen from where it began (3,)."""
        return np.asarray(self.steps_m.sum(axis=0))


def foot_path(rows: Records) -> FootPath:
    """Path of the sensor itself from rows (n,) of a foot that begins and ends at rest.

    The heading is the gyroscope's alone. Windows of any length count: a path must be followed through stumbles too.
    """
    flats = rests(rows)
    samples = SegmentSamples(rows)
    steps, durations = [], []
    for before, after in pairwise(flats):
        start, stop = before.last, after.first
        velocity = ankle_velocity(samples, _NO_LEVER, start, stop)
        t = samples.time_s[start : stop + 1]
        steps.append(np.sum(0.5 * (velocity[1:] + velocity[:-1]) * np.diff(t)[:, None], axis=0))
        durations.append(t[-1] - t[0])
    return FootPath(np.array(steps).reshape(-1, 3), np.array(durations))
