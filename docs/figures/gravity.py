"""Draws how turns of the walk part an accelerometer's bias from gravity, for docs/how-the-heading-is-found.md.

One simulated walk with a poor sensor; the filter of the shank sensor is looked at by wrapping two functions.
"""

import tempfile
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from drawing import PALE, X_COLOUR, Y_COLOUR, Z_COLOUR, save

from subtalar.estimation.estimator import GaitEstimator
from subtalar.estimation.inclination.gravity import GravityFilter
from subtalar.estimation.leg import leg_tracker
from subtalar.estimation.leg.leg_gravity import LegGravity
from subtalar.estimation.leg.stride_learning import learn_stride
from subtalar.session.opening import open_session
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.session_writer import write_session

CONFIG = SimulationConfig(
    body=BodyConfig(seed=14, walking_s=85.0), sites=("right_foot", "right_shank"), orientation="any", quality="poor"
)


def run(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Time (n,), and bias (3), its sd and the foot's own heading (n, 5) after each stride."""
    session = open_session(write_session(CONFIG, folder))
    newest: dict[float, list[float]] = {}
    whole = LegGravity.add

    def look(gravity: LegGravity, window: Any) -> None:
        q = window.foot.q[window.stop]
        yaw = float(2 * np.arctan2(q[3], q[0]))
        newest[window.end_s] = [*gravity.shank.bias_m_s2, _sd(gravity.shank), yaw]

    def add(self: LegGravity, window: Any, centre: Any) -> None:
        whole(self, window, centre)
        look(self, window)

    def learn(window: Any, gravity: LegGravity, centre: Any, heading_rad: float, *, known: bool) -> Any:
        found = learn_stride(window, gravity, centre, heading_rad, known=known)
        look(gravity, window)
        return found

    LegGravity.add, leg_tracker.learn_stride = add, learn  # type: ignore[method-assign]
    try:
        estimator = GaitEstimator(session.sensors)
        for block in session.blocks(5.0):
            estimator.push(block)
        estimator.finish()
    finally:
        LegGravity.add, leg_tracker.learn_stride = whole, learn_stride  # type: ignore[method-assign]
    t = np.array(sorted(newest))
    return t, np.array([newest[x] for x in t])


def _sd(gravity: GravityFilter) -> float:
    return gravity.bias_sd_m_s2


def draw(folder: Path) -> None:
    """Bias over strides with its true value, and the turns."""
    t, seen = run(folder)
    body = CONFIG.make_body()
    true = CONFIG.make_imu(body, "right_shank").acc_bias_m_s2
    figure, (top, low) = plt.subplots(2, 1, figsize=(8, 4.6), layout="constrained", sharex=True, height_ratios=[2.4, 1])
    for k, (axis, colour) in enumerate(zip("xyz", (X_COLOUR, Y_COLOUR, Z_COLOUR), strict=True)):
        top.axhline(true[k], color=colour, lw=0.8, ls="--")
        top.fill_between(t, seen[:, k] - 2 * seen[:, 3], seen[:, k] + 2 * seen[:, 3], color=colour, alpha=0.08, lw=0)
        top.plot(t, seen[:, k], color=colour, lw=1.6, label=f"{axis} of the sensor")
    top.plot([], [], color=PALE, lw=0.8, ls="--", label="true")
    top.set(ylabel="accelerometer bias (m/s²)")
    low.plot(t, np.degrees(np.unwrap(seen[:, 4])), color=PALE, lw=1.6)
    low.set(ylabel="direction of\nthe foot (°)", xlabel="time (s)")
    figure.legend(*top.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    save(figure, "gravity-and-bias.svg")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        draw(Path(name) / "walk")
