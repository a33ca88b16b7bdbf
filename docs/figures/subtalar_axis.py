"""Draws the picture of docs/subtalar-axis.md with the estimator's own axis and angles."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import FOOT_COLOUR, INK, PALE, X_COLOUR, Y_COLOUR, Z_COLOUR, foot_sections, save
from matplotlib.axes import Axes
from scipy.spatial import ConvexHull

from subtalar.estimation.angles.joint_angles import ankle_angles_deg
from subtalar.estimation.angles.subtalar_axis import axis_in_foot
from subtalar.estimation.numerics.quaternions import multiply
from subtalar.estimation.parameters import SubtalarAxis

AXIS = SubtalarAxis()
CENTRE = np.array([-0.01, -0.02, 0.0])


def outline(axes: Axes, columns: list[int]) -> None:
    """The right foot as seen along one of its axes."""
    points = np.concatenate(foot_sections())[:, columns]
    if columns == [0, 2]:
        points[:, 1] *= -1  # from above: the midline is up on the page
    hull = points[ConvexHull(points).vertices]
    axes.fill(hull[:, 0], hull[:, 1], color=FOOT_COLOUR, ec=PALE, lw=1)
    axes.set_aspect("equal")
    axes.axis("off")


def axis_line(axes: Axes, columns: list[int], angle_deg: float, words: str) -> None:
    """The axis through the foot, and its angle to the dashed long axis of the foot."""
    centre, along = CENTRE[columns], np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    ends = np.array([centre - 0.13 * along, centre + 0.16 * along])
    axes.annotate("", ends[1], ends[0], arrowprops={"arrowstyle": "-|>", "color": X_COLOUR, "lw": 2})
    axes.plot([centre[0], centre[0] + 0.15], [centre[1]] * 2, color=INK, lw=0.8, ls=(0, (4, 3)))
    arc = np.radians(np.linspace(0, angle_deg, 30))
    axes.plot(centre[0] + 0.09 * np.cos(arc), centre[1] + 0.09 * np.sin(arc), color=INK, lw=1)
    middle = np.radians(angle_deg / 2)
    axes.text(centre[0] + 0.098 * np.cos(middle), centre[1] + 0.098 * np.sin(middle), f"{angle_deg:.0f}°", va="center")
    axes.set_title(words, fontsize=10, color=INK)
    axes.set_xlim(-0.13, 0.21)
    axes.set_ylim(centre[1] - 0.1, centre[1] + 0.12)


def shares(axes: Axes) -> None:
    """What a turn about the axis is in the three planes."""
    turn = np.linspace(-15, 10, 60)
    half = np.radians(turn) / 2
    q = np.column_stack([np.cos(half), np.sin(half)[:, None] * axis_in_foot(AXIS, "right")])
    angles = ankle_angles_deg(multiply(np.array([1.0, 0, 0, 0]), q), "right")
    for k, (name, colour) in enumerate(
        (("dorsiflexion", Z_COLOUR), ("inversion", X_COLOUR), ("tibial rotation", Y_COLOUR))
    ):
        axes.plot(turn, angles[:, k], color=colour)
        axes.text(10.5, angles[-1, k], name, color=colour, va="center", fontsize=9)
    axes.axhline(0, color=PALE, lw=0.8)
    axes.axvline(0, color=PALE, lw=0.8)
    axes.set_xlim(-15, 20)
    axes.set_xticks([-15, -10, -5, 0, 5, 10])
    axes.set_xlabel("about the subtalar axis (°), + supination")
    axes.set_ylabel("in the planes of the ankle (°)")


if __name__ == "__main__":
    figure, (side, above, planes) = plt.subplots(1, 3, figsize=(10, 3.2), width_ratios=[1, 1, 1.1])
    outline(side, [0, 1])
    axis_line(side, [0, 1], AXIS.inclination_deg, "inclination, from the side")
    outline(above, [0, 2])
    axis_line(above, [0, 2], AXIS.deviation_deg, "deviation, from above (midline up)")
    shares(planes)
    figure.tight_layout()
    save(figure, "subtalar-axis.svg")
