"""Lever arms and clock offset: what makes both sensors feel the same ankle acceleration.

The joint constraint of Seel, Schauer & Raisch 2012 (doi 10.1109/CCA.2012.6402423), here in level worlds with the
relative heading as a nuisance and the clock offset as one more unknown: one small least-squares problem a stride
(``ankle_acceleration.py``). Strides add up in an information matrix that slowly forgets, on top of a weak prior.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from subtalar.estimation.joint.ankle_acceleration import FOOT, OFFSET, SHANK, UNKNOWNS, equations_at
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.records import Records, record
from subtalar.estimation.parameters import JointCentreParameters
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.rows.stride_window import StrideWindow, at_times_of
from subtalar.types import FloatArray

CENTRE_STATE = np.dtype(
    [
        ("mean", "f8", (UNKNOWNS,)),
        ("covariance", "f8", (UNKNOWNS, UNKNOWNS)),
        ("information", "f8", (UNKNOWNS, UNKNOWNS)),
        ("vector", "f8", (UNKNOWNS,)),
    ]
)
"""The estimate of ``ankle_acceleration``'s unknowns and its covariance; what the strides alone show, as information."""

CENTRE_RULE = np.dtype(
    [
        ("cutoff_hz", "f8"),
        ("noise_m_s2", "f8"),
        ("memory", "f8"),
        ("prior_information", "f8", (UNKNOWNS, UNKNOWNS)),
        ("prior_mean", "f8", (UNKNOWNS,)),
    ]
)


@dataclass(frozen=True)
class JointCentre:
    """Ankle in foot-sensor and shank-sensor axes (m), and how much later the shank's clock shows an instant (s)."""

    foot_lever_m: FloatArray
    shank_lever_m: FloatArray
    offset_s: float
    covariance: FloatArray


class JointCentreEstimator:
    """Information filter over strides; ``state`` is changed in place, by ``learn_centre`` too, ``rule`` is constant."""

    def __init__(
        self, parameters: JointCentreParameters, shank_down_in_sensor: FloatArray, offset_s: float = 0.0
    ) -> None:
        """``shank_down_in_sensor`` (3,): unit vector along the shank towards the foot, from quiet standing;
        ``offset_s`` what is expected of the clocks.
        """
        p = parameters
        variance = np.array([p.foot_prior_sd_m] * 3 + [p.shank_prior_sd_m] * 3 + [p.offset_prior_sd_s]) ** 2
        prior_mean = np.zeros(UNKNOWNS)
        prior_mean[OFFSET] = offset_s
        prior_mean[SHANK] = p.shank_prior_height_m * shank_down_in_sensor
        self.rule = record(
            CENTRE_RULE,
            cutoff_hz=p.cutoff_hz,
            noise_m_s2=p.acceleration_noise_m_s2,
            memory=1.0 - 1.0 / p.memory_strides,
            prior_information=np.diag(1.0 / variance),
            prior_mean=prior_mean,
        )
        self.state = record(CENTRE_STATE)
        _solve(self.state, self.rule)

    @property
    def estimate(self) -> JointCentre:
        """The present estimate."""
        x = self.state["mean"][0]
        return JointCentre(x[FOOT].copy(), x[SHANK].copy(), float(x[OFFSET]), self.state["covariance"][0].copy())

    @property
    def offset_s(self) -> float:
        """How much later the shank's clock shows an instant."""
        return float(self.state["mean"][0, OFFSET])

    def add(self, window: StrideWindow, heading_rad: float) -> None:
        """Learn from one stride whose relative heading is known to some degrees."""
        foot, rows = window.foot.rows, (window.start, window.stop)
        shank = at_times_of(foot, window.shank.rows, self.offset_s)
        learn_centre(self.state, self.rule, foot, shank, heading_rad, window.clipped, *rows)

    def remembered(self) -> tuple[FloatArray, FloatArray]:
        """Information (7, 7) and vector (7,) as ``learn_centre`` keeps them when it adds a stride."""
        memory = self.rule["memory"][0]
        return memory * self.state["information"][0], memory * self.state["vector"][0]

    def learnt_since(self, remembered: tuple[FloatArray, FloatArray]) -> tuple[FloatArray, FloatArray]:
        """What one stride added to ``remembered``."""
        return self.state["information"][0] - remembered[0], self.state["vector"][0] - remembered[1]

    def turn(self, sensor: slice, to_new: FloatArray) -> None:
        """One sensor, ``FOOT`` or ``SHANK``, sits otherwise: ``to_new`` (4,) turns former axes into the new ones."""
        turn = np.eye(UNKNOWNS)
        turn[sensor, sensor] = quat.matrix(to_new)
        state, rule = self.state, self.rule
        state["information"][0] = turn @ state["information"][0] @ turn.T
        state["vector"][0] = turn @ state["vector"][0]
        rule["prior_mean"][0] = turn @ rule["prior_mean"][0]
        _solve(state, rule)

    def relearn(self, windows: list[StrideWindow], headings_rad: list[float]) -> None:
        """Start over from the prior with these strides, linearised at the present estimate."""
        at = self.estimate
        self.settle([self.equations(window, h, at) for window, h in zip(windows, headings_rad, strict=True)])

    def settle(self, equations: Sequence[tuple[FloatArray, FloatArray]]) -> None:
        """Start over from the prior with these strides' ``equations``."""
        information, vector = self.state["information"][0], self.state["vector"][0]
        information[:] = 0.0
        vector[:] = 0.0
        for a, b in equations:
            information += a
            vector += b
        _solve(self.state, self.rule)

    def equations(self, window: StrideWindow, heading_rad: float, at: JointCentre) -> tuple[FloatArray, FloatArray]:
        """Normal equations (7, 7), (7,) of one stride for (r_foot, r_shank, offset), relative heading eliminated;
        linearised ``at`` an estimate.
        """
        foot, rows = window.foot.rows, (window.start, window.stop)
        shank = at_times_of(foot, window.shank.rows, at.offset_s)
        x = np.concatenate((at.foot_lever_m, at.shank_lever_m, [at.offset_s]))
        return _equations(foot, shank, heading_rad, x, self.rule, window.clipped, *rows)


@compiled("(row[::1], row[::1], f8, f8[::1], rule[::1], f8[::1], i8, i8)", row=SENSOR_ROW, rule=CENTRE_RULE)
def _equations(
    foot: Records,
    shank: Records,
    heading_rad: float,
    x: FloatArray,
    rule: Records,
    clipped: FloatArray,
    start: int,
    stop: int,
) -> tuple[FloatArray, FloatArray]:
    cutoff_hz, noise_m_s2 = rule[0]["cutoff_hz"], rule[0]["noise_m_s2"]
    return equations_at(foot, shank, heading_rad, x, cutoff_hz, noise_m_s2, clipped, start, stop)


@compiled(
    "(state[::1], rule[::1], row[::1], row[::1], f8, f8[::1], i8, i8)",
    state=CENTRE_STATE,
    rule=CENTRE_RULE,
    row=SENSOR_ROW,
)
def learn_centre(
    state: Records,
    rule: Records,
    foot: Records,
    shank: Records,
    heading_rad: float,
    clipped: FloatArray,
    start: int,
    stop: int,
) -> None:
    """Renew the state of a ``JointCentreEstimator`` by one stride; the shank's samples are those at the foot's times by
    the present offset.
    """
    now, memory = state[0], rule[0]["memory"]
    left, right = _equations(foot, shank, heading_rad, now["mean"][:], rule, clipped, start, stop)
    information, vector = now["information"], now["vector"]
    for r in range(UNKNOWNS):
        vector[r] = memory * vector[r] + right[r]
        for c in range(UNKNOWNS):
            information[r, c] = memory * information[r, c] + left[r, c]
    _solve(state, rule)


@compiled("(state[::1], rule[::1])", state=CENTRE_STATE, rule=CENTRE_RULE)
def _solve(state: Records, rule: Records) -> None:
    """Mean and covariance, by Gauss-Jordan elimination; the matrix is positive definite and needs no pivoting."""
    x, covariance = state[0]["mean"], state[0]["covariance"]
    information, vector = state[0]["information"], state[0]["vector"]
    prior, prior_mean = rule[0]["prior_information"], rule[0]["prior_mean"]
    right = np.empty(UNKNOWNS)
    for r in range(UNKNOWNS):
        right[r] = vector[r]
        for c in range(UNKNOWNS):
            covariance[r, c] = information[r, c] + prior[r, c]
            right[r] += prior[r, c] * prior_mean[c]
    for k in range(UNKNOWNS):
        pivot = 1.0 / covariance[k, k]
        covariance[k, k] = 1.0
        for c in range(UNKNOWNS):
            covariance[k, c] *= pivot
        for r in range(UNKNOWNS):
            if r != k:
                share = covariance[r, k]
                covariance[r, k] = 0.0
                for c in range(UNKNOWNS):
                    covariance[r, c] -= share * covariance[k, c]
    for r in range(UNKNOWNS):
        x[r] = 0.0
        for c in range(UNKNOWNS):
            x[r] += covariance[r, c] * right[c]
