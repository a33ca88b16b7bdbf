"""Draws the pictures of docs/conventions.md; the angles in them are checked by the estimator's own code."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import (
    ANKLE_HEIGHT_M,
    FOOT_COLOUR,
    INK,
    PALE,
    SENSOR_COLOUR,
    SHANK_COLOUR,
    X_COLOUR,
    Y_COLOUR,
    Z_COLOUR,
    arrow,
    draw_solid,
    foot_sections,
    mirrored,
    save,
    shank_sections,
)
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch

from subtalar.estimation.angles.joint_angles import ankle_angles_deg
from subtalar.estimation.numerics.quaternions import from_matrix
from subtalar.types import Side

SEGMENT_COLOURS = (X_COLOUR, Y_COLOUR, Z_COLOUR)
FROM_THE_SIDE = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
FROM_BEHIND = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
FROM_ABOVE = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


def camera(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """View (2, 3) of ISB axes from the front right and above."""
    a, e = np.radians((azimuth_deg, elevation_deg))
    to_eye = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    right = np.cross([0.0, 1.0, 0.0], to_eye)
    right /= np.linalg.norm(right)
    return np.vstack((right, np.cross(to_eye, right)))


def foot_to_shank(dorsiflexion_deg: float, inversion_deg: float, rotation_deg: float, side: Side) -> np.ndarray:
    """Rotation (3, 3) with those ankle angles; checked against what the estimator would call it."""
    mirror = 1.0 if side == "right" else -1.0
    a, b, c = np.radians((dorsiflexion_deg, mirror * inversion_deg, -mirror * rotation_deg))
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_y = np.array([[np.cos(c), 0, np.sin(c)], [0, 1, 0], [-np.sin(c), 0, np.cos(c)]])
    turn = about_z @ about_x @ about_y
    found = ankle_angles_deg(from_matrix(turn)[None], side)[0]
    assert np.allclose(found, (dorsiflexion_deg, inversion_deg, rotation_deg), atol=1e-9)
    return turn


def turned(sections: list[np.ndarray], rotation: np.ndarray) -> list[np.ndarray]:
    """Every section about the ankle joint centre."""
    return [s @ rotation.T for s in sections]


def axes_at(ax: Axes, origin: np.ndarray, view: np.ndarray, rotation: np.ndarray, length: float, names: str) -> None:
    """A frame: three arrows from ``origin`` (3,)."""
    ax.plot(*(view @ origin), "o", color=INK, ms=4, zorder=12)
    for k in range(3):
        label = names.split()[k] if names else ""
        arrow(ax, view @ origin, view @ (origin + length * rotation[:, k]), SEGMENT_COLOURS[k], label)


def sensor(ax: Axes, centre: np.ndarray, view: np.ndarray, rotation: np.ndarray, order: float) -> None:
    """A small box strapped on anyhow."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * [0.019, 0.007, 0.014]
    box = centre + corners @ rotation.T
    draw_solid(ax, [box[:4], box[4:]], view, SENSOR_COLOUR, order)


def segment_frames() -> None:
    """Both legs with their segment frames, and the world."""
    view = camera(32, 18)
    figure, axes = plt.subplots(1, 3, figsize=(11, 5.4), gridspec_kw={"width_ratios": [1, 1, 0.62], "wspace": 0.02})
    tilt = np.linalg.qr(np.array([[0.9, 0.3, -0.2], [-0.4, 0.8, 0.3], [0.3, -0.2, 0.9]]))[0]
    for ax, side in zip(axes, ("left", "right"), strict=False):
        outward = 1.0 if side == "right" else -1.0
        foot, shank = foot_sections(), shank_sections()
        if side == "left":
            foot, shank = mirrored(foot), mirrored(shank)
        draw_solid(ax, shank, view, SHANK_COLOUR, 1)
        draw_solid(ax, foot, view, FOOT_COLOUR, 2)
        sensor(ax, np.array([0.083, -0.030, 0.0]), view, tilt @ np.diag([1.0, 1.0, outward]), 3)
        sensor(ax, np.array([0.030, 0.20, 0.030]), view, tilt[:, [2, 0, 1]], 3)
        axes_at(ax, np.zeros(3), view, np.eye(3), 0.115, "x y z")
        axes_at(ax, np.array([0.0, 0.29, 0.0]), view, np.eye(3), 0.115, "x y z")
        ax.text(*(view @ [-0.085, 0.30, 0.0]), "shank", ha="right", color=INK)
        ax.text(*(view @ [-0.095, -0.02, 0.0]), "foot", ha="right", color=INK)
        ax.set_title(f"{side} leg", fontsize=12, color=INK)
        if side == "left":
            ax.annotate(
                "sensors: any place,\nany orientation",
                view @ [0.045, 0.20, 0.03],
                view @ [0.17, 0.135, 0.03],
                color="#9c6206",
                fontsize=9,
                va="center",
                arrowprops={"arrowstyle": "-", "color": "#9c6206", "lw": 0.8},
            )
        ax.set_xlim(-0.20, 0.30)
        ax.set_ylim(-0.19, 0.47)
    ax = axes[2]
    ax.set_title("world", fontsize=12, color=INK)
    for k, (name, direction) in enumerate(zip("xyz", np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]), strict=True)):
        arrow(ax, np.zeros(2), view @ (0.14 * direction), SEGMENT_COLOURS[k], name)
    ax.plot(0, 0, "o", color=INK, ms=4)
    ax.text(0.02, -0.13, "z up, against gravity;\nx and y level,\nheading arbitrary", ha="center", va="top", color=INK)
    ax.set_xlim(-0.17, 0.21)
    ax.set_ylim(-0.28, 0.47)
    for ax in axes:
        ax.set_aspect("equal")
        ax.axis("off")
    words = "segments: x anterior, y superior, z to the person's right, on both legs"
    figure.text(0.38, 0.03, words, ha="center", color=INK)
    figure.subplots_adjust(0.01, 0.05, 0.99, 0.93)
    save(figure, "segment-frames.png")


def curved(ax: Axes, start: np.ndarray, end: np.ndarray, bend: float, colour: str) -> None:
    """The movement, as a curved arrow."""
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=15,
            lw=2.2,
            color=colour,
            zorder=9,
        )
    )


def from_the_side(ax: Axes, angle_deg: float, side: Side) -> None:
    """Dorsiflexion: the shank stands, the foot turns."""
    rotation = foot_to_shank(angle_deg, 0, 0, side)
    if angle_deg:
        draw_outline(ax, foot_sections(), FROM_THE_SIDE)
    draw_solid(ax, shank_sections(), FROM_THE_SIDE, SHANK_COLOUR, 1)
    draw_solid(ax, turned(foot_sections(), rotation), FROM_THE_SIDE, FOOT_COLOUR, 2)
    if angle_deg:
        toe = np.array([0.225, -0.065, 0.0])
        curved(ax, toe[:2], (rotation @ toe)[:2], 0.18 * np.sign(angle_deg), Z_COLOUR)
    ax.set_xlim(-0.12, 0.27)
    ax.set_ylim(-0.19, 0.24)


def from_behind(ax: Axes, angle_deg: float, side: Side) -> None:
    """Inversion: the shank stands, the sole turns."""
    foot, shank = foot_sections(), shank_sections()
    if side == "left":
        foot, shank = mirrored(foot), mirrored(shank)
    rotation = foot_to_shank(0, angle_deg, 0, side)
    if angle_deg:
        draw_outline(ax, foot, FROM_BEHIND)
    draw_solid(ax, turned(foot[12:], rotation), FROM_BEHIND, "#f1ddc8", 1)
    draw_solid(ax, shank, FROM_BEHIND, SHANK_COLOUR, 2)
    draw_solid(ax, turned(foot[:13], rotation), FROM_BEHIND, FOOT_COLOUR, 3)
    heel = np.array([[-0.062, 0.02, 0.0], [-0.062, -ANKLE_HEIGHT_M, 0.0]]) @ rotation.T
    ax.plot(*(heel @ FROM_BEHIND.T).T, color="#8d5a2b", lw=1.6, zorder=5)
    ax.plot([0, 0], [0.05, 0.22], color="#5b6068", lw=1.6, zorder=5)
    if angle_deg:
        sole = np.array([0.0, -0.115, 0.0])
        tip = FROM_BEHIND @ (rotation @ sole)
        # The sole's centre moves to the side that the sole then faces.
        curved(
            ax, FROM_BEHIND @ sole, tip + 0.035 * np.array([np.sign(tip[0]), 0.25]), 0.25 * np.sign(tip[0]), X_COLOUR
        )
    ax.set_xlim(-0.125, 0.125)
    ax.set_ylim(-0.16, 0.24)


def from_above(ax: Axes, angle_deg: float, side: Side) -> None:
    """Tibial rotation: the foot stands, the tibia turns over it."""
    foot = foot_sections()
    if side == "left":
        foot = mirrored(foot)
    rotation = foot_to_shank(0, 0, angle_deg, side).T
    draw_solid(ax, foot, FROM_ABOVE, FOOT_COLOUR, 1)
    around = np.linspace(0, 2 * np.pi, 60)
    # A tibia seen on end: a triangle with rounded corners, its crest in front.
    r = 0.040 * (1 + 0.16 * np.cos(3 * around))
    tibia = np.column_stack((r * np.cos(around), np.zeros(60), r * np.sin(around)))
    ax.fill(*(tibia @ rotation.T @ FROM_ABOVE.T).T, facecolor=SHANK_COLOUR, edgecolor="#5b6068", lw=1.6, zorder=3)
    front = np.array([0.115, 0.0, 0.0])
    if angle_deg:
        ax.plot(*np.array([[0, 0], FROM_ABOVE @ front]).T, "--", color=PALE, lw=1.2, zorder=4)
    arrow(ax, np.zeros(2), FROM_ABOVE @ (rotation @ front), "#34495e")
    if angle_deg:
        out = 1.28 * front
        tip = FROM_ABOVE @ (rotation @ out)
        curved(ax, FROM_ABOVE @ out, tip, -0.2 * np.sign(tip[0]), Y_COLOUR)
    ax.set_xlim(-0.125, 0.125)
    ax.set_ylim(-0.10, 0.235)


def draw_outline(ax: Axes, sections: list[np.ndarray], view: np.ndarray) -> None:
    """Where the foot is in quiet standing, for comparison."""
    draw_solid(ax, sections, view, "#f4f4f4", 0)


def angle_signs() -> None:
    """What + and − mean, for each angle and leg."""
    rows = (
        (
            "dorsiflexion",
            from_the_side,
            20.0,
            ("− plantarflexion\ntoes down", "+ dorsiflexion\ntoes up"),
            "from the person's right",
        ),
        (
            "inversion",
            from_behind,
            18.0,
            ("− eversion (pronation)\nsole faces outward", "+ inversion (supination)\nsole faces the midline"),
            "from behind",
        ),
        (
            "tibial rotation",
            from_above,
            25.0,
            ("− external\ntibia turns outward", "+ internal\ntibia turns to the midline"),
            "from above, toes to the top",
        ),
    )
    figure = plt.figure(figsize=(11, 9.6))
    grid = figure.add_gridspec(3, 5, width_ratios=[1, 1, 0.16, 1, 1], wspace=0.04, hspace=0.34)
    for row, (name, draw, size, words, seen) in enumerate(rows):
        for half, side in enumerate(("left", "right")):
            for k, sign in enumerate((-1.0, 1.0)):
                ax = figure.add_subplot(grid[row, 3 * half + k])
                draw(ax, sign * size, side)
                ax.set_aspect("equal")
                ax.axis("off")
                ax.set_title(words[k], fontsize=10, color=INK)
        place = grid[row, 0].get_position(figure)
        figure.text(
            0.012, 0.5 * (place.y0 + place.y1), f"{name}\n", rotation=90, va="center", fontsize=13, fontweight="bold"
        )
        figure.text(0.034, 0.5 * (place.y0 + place.y1), seen, rotation=90, va="center", fontsize=9, color="#555555")
    figure.text(0.30, 0.965, "left leg", fontsize=14, ha="center")
    figure.text(0.76, 0.965, "right leg", fontsize=14, ha="center")
    figure.subplots_adjust(0.07, 0.02, 0.99, 0.90)
    save(figure, "angle-signs.png")


if __name__ == "__main__":
    segment_frames()
    angle_signs()
