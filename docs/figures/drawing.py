"""What the figures share: colours, how a picture is saved, and the shapes of a leg."""

import itertools
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.interpolate import PchipInterpolator
from scipy.spatial import ConvexHull

IMAGES = Path(__file__).parents[1] / "images"
X_COLOUR, Y_COLOUR, Z_COLOUR = "#c0392b", "#1e8449", "#1f5fa8"
FOOT_COLOUR, SHANK_COLOUR, SENSOR_COLOUR = "#e8c9a8", "#cfd8e3", "#f39c12"
INK, PALE = "#222222", "#8a8f98"
ANKLE_HEIGHT_M = 0.085

plt.rcParams.update(
    {
        "svg.hashsalt": "subtalar",
        "font.size": 10,
        "font.family": "DejaVu Sans",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": PALE,
        "axes.labelcolor": INK,
        "legend.frameon": False,
        "figure.facecolor": "white",
    }
)


def save(figure: Figure, name: str) -> None:
    """Write ``docs/images/NAME``, a .svg for curves or a .png for solids; equal figures give equal bytes."""
    IMAGES.mkdir(exist_ok=True)
    metadata = {"Date": None, "Creator": None} if name.endswith(".svg") else {"Software": None}
    figure.savefig(IMAGES / name, metadata=metadata, dpi=110)
    plt.close(figure)


def foot_sections() -> list[np.ndarray]:
    """Cross-sections (k, 3) of a right foot in its segment frame, heel to toe, metres from the ankle joint centre."""
    #           x      medial  lateral  top
    table = [
        (-0.062, 0.016, 0.016, -0.030),
        (-0.050, 0.026, 0.026, 0.005),
        (-0.030, 0.030, 0.030, 0.025),
        (0.020, 0.031, 0.033, 0.025),
        (0.050, 0.033, 0.036, -0.005),
        (0.090, 0.038, 0.042, -0.035),
        (0.130, 0.043, 0.046, -0.050),
        (0.165, 0.040, 0.038, -0.058),
        (0.190, 0.028, 0.018, -0.063),
        (0.200, 0.012, 0.002, -0.070),
    ]
    sections = []
    for x, medial, lateral, top in _finer(table, 36):
        rim = np.linspace(0, np.pi, 15)
        z = 0.5 * (lateral - medial) + 0.5 * (lateral + medial) * np.cos(rim)
        y = np.maximum(-0.06 + (top + 0.06) * np.sin(rim), -ANKLE_HEIGHT_M)
        roof = np.column_stack((np.full(15, x), y, z))
        sole = np.array([[x, -ANKLE_HEIGHT_M, 0.95 * lateral], [x, -ANKLE_HEIGHT_M, -0.95 * medial]])
        sections.append(np.vstack((roof, sole)))
    return sections


def shank_sections() -> list[np.ndarray]:
    """Cross-sections (k, 3) of a shank in its segment frame, from the ankle joint centre up to the knee."""
    around = np.linspace(0, 2 * np.pi, 37)
    #         height radius  centre
    table = [(0.0, 0.030, 0.0), (0.08, 0.032, 0.0), (0.20, 0.047, -0.008), (0.29, 0.052, -0.012), (0.38, 0.047, 0.0)]
    return [
        np.column_stack((x + 1.1 * r * np.cos(around), np.full(37, y), 0.95 * r * np.sin(around)))
        for y, r, x in _finer(table, 24)
    ]


def _finer(table: list[tuple[float, ...]], n: int) -> np.ndarray:
    """The rows of a table with smooth ones in between; the first column is where they are."""
    rows = np.array(table)
    # Closer together at both ends, where shapes are round.
    at = rows[0, 0] + (rows[-1, 0] - rows[0, 0]) * 0.5 * (1 - np.cos(np.linspace(0, np.pi, n)))
    return np.column_stack((at, PchipInterpolator(rows[:, 0], rows[:, 1:])(at)))


def mirrored(sections: list[np.ndarray]) -> list[np.ndarray]:
    """The same on the other leg."""
    return [s * [1.0, 1.0, -1.0] for s in sections]


def draw_solid(ax: Axes, sections: list[np.ndarray], view: np.ndarray, colour: str, order: float = 1.0) -> None:
    """Silhouette of the solid through ``sections``, seen through ``view`` (2, 3)."""
    hulls = []
    for a, b in itertools.pairwise(sections):
        flat = np.vstack((a, b)) @ view.T
        hulls.append(flat[ConvexHull(flat).vertices])
    for hull in hulls:  # all the outlines first, so that only the outermost one stays visible
        ax.fill(*hull.T, facecolor=colour, edgecolor="#5b6068", linewidth=2.8, joinstyle="round", zorder=order)
    for hull in hulls:
        ax.fill(*hull.T, facecolor=colour, edgecolor=colour, linewidth=0.9, zorder=order + 0.01)


def arrow(ax: Axes, start: np.ndarray, end: np.ndarray, colour: str, label: str = "", *, size: float = 11) -> None:
    """A straight arrow with its name beyond the tip."""
    ax.annotate(
        "",
        end,
        start,
        arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2.2, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 14},
        zorder=10,
    )
    if label:
        away = (np.asarray(end) - start) / np.linalg.norm(np.asarray(end) - start)
        ax.text(
            *(end + 0.018 * away),
            label,
            color=colour,
            ha="center" if abs(away[0]) < 0.6 else ("left" if away[0] > 0 else "right"),
            va="center" if abs(away[1]) < 0.6 else ("bottom" if away[1] > 0 else "top"),
            fontsize=size,
            fontweight="bold",
            zorder=11,
        )
