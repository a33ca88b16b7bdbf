"""The pictures of the report, as SVG text that can stand inside a page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import median_filter

from subtalar.anatomy import PageWords
from subtalar.report.measures import Curves
from subtalar.report.waveforms import CYCLE_PCT
from subtalar.report.wording import ANKLE_WORDS
from subtalar.types import FloatArray, Side

SIDE_COLOURS: Final[dict[Side, str]] = {"left": "#0072B2", "right": "#D55E00"}
"""Blue and vermilion of Okabe & Ito 2008: told apart by readers with any common colour blindness."""
SIDE_DASHES: Final[dict[Side, Any]] = {"left": "solid", "right": (0, (5, 1.6))}
"""Told apart in black and white, too."""

_WIDTH_IN = 7.1  # text width of an A4 page with margins of 15 mm
_INK, _GREY, _PALE = "#1f2933", "#66727f", "#d5dbe1"
_FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
_STYLE: Final[dict[Any, Any]] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib; wider than the fonts of the page, so all text fits
    "font.size": 7.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "subtalar",
    "axes.edgecolor": _PALE,
    "axes.labelcolor": _GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": _INK,
    "xtick.color": _PALE,
    "ytick.color": _PALE,
    "xtick.labelcolor": _GREY,
    "ytick.labelcolor": _GREY,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "axes.unicode_minus": True,
}
_ROUND_STEPS = (1, 2, 5, 10)
_MOST_DOTS = 400
_TREND_STRIDES = 21
_TREND_WINDOWS = 40  # so that an hour does not become a scribble


@dataclass(frozen=True)
class Series:
    """Values of one side at their times."""

    time_s: FloatArray
    values: FloatArray


Panel = tuple[PageWords, Mapping[Side, tuple[Curves, int]]]
"""An angle and, by side, the curves and the column in which it stands."""


def waveform_figure(curves: Mapping[Side, Curves], foot_off_pct: Mapping[Side, float], alt: str) -> str:
    """Mean curve and a band of one standard deviation of each ankle angle over the gait cycle, sides on each other."""
    panels = [(words, {side: (curve, k) for side, curve in curves.items()}) for k, words in enumerate(ANKLE_WORDS)]
    return panel_figure(panels, foot_off_pct, "waveforms", alt)


def panel_figure(panels: Sequence[Panel], foot_off_pct: Mapping[Side, float], name: str, alt: str) -> str:
    """The same for any angles, at most four; ``name`` is that of the picture within the page."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN if len(panels) > 1 else 0.45 * _WIDTH_IN, 2.75))
        for axes, (words, sides) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            axes.axhline(0, color=_PALE, lw=0.8, zorder=0)
            for side, (curve, k) in sides.items():
                mean, sd = curve.mean_deg[:, k], curve.sd_deg[:, k]
                if np.isfinite(sd).all():
                    axes.fill_between(CYCLE_PCT, mean - sd, mean + sd, color=SIDE_COLOURS[side], alpha=0.17, lw=0)
                axes.plot(CYCLE_PCT, mean, **_line(side), label=f"{side.capitalize()} ({curve.n} strides)")
            axes.set_title(f"{words.name} (°)", pad=7)
            low, high = axes.get_ylim()
            room = max(4.0 - (high - low), 0) / 2 + 0.15 * (high - low)
            axes.set_ylim(low - room, high + room)
            _mark_foot_off(axes, {side: foot_off_pct[side] for side in sides})
            axes.text(0.03, 0.985, f"+  {words.plus}", transform=axes.transAxes, va="top", color=_GREY, size=7)
            axes.text(0.03, 0.015, f"−  {words.minus}", transform=axes.transAxes, va="bottom", color=_GREY, size=7)
            _cycle_axis(axes)
        return _finish(figure, name, alt)


def variability_figure(curves: Mapping[Side, Curves], alt: str) -> str:
    """Standard deviation between strides of each angle over the gait cycle."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN, 2.0))
        for k, (axes, words) in enumerate(zip(figure.subplots(1, 3), ANKLE_WORDS, strict=True)):
            for side, curve in curves.items():
                axes.plot(CYCLE_PCT, curve.sd_deg[:, k], **_line(side), label=side.capitalize())
            axes.set_title(f"{words.name}: sd (°)", pad=7)
            axes.set_ylim(0, max(axes.get_ylim()[1] * 1.08, 0.5))
            _cycle_axis(axes)
        return _finish(figure, "variability", alt)


def trend_figure(panels: Sequence[tuple[str, Mapping[Side, Series]]], duration_s: float, alt: str) -> str:
    """A dot a stride and a running median, one panel a measure, over the time of the session."""
    unit, seconds = ("min", 60.0) if duration_s > 180 else ("s", 1.0)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN, 0.45 + 1.45 * len(panels)))
        rows = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (title, sides) in zip(rows, panels, strict=True):
            for side, series in sides.items():
                time, values = series.time_s / seconds, series.values
                step = max(1, -(-len(time) // _MOST_DOTS))
                marker = "o" if side == "left" else "^"
                axes.plot(
                    time[::step], values[::step], marker, ms=2.8, mew=0, alpha=0.5, color=SIDE_COLOURS[side],
                    label="_",
                )  # fmt: skip
                axes.plot(time, running_median(values), **_line(side), label=side.capitalize())
            axes.set_title(title, pad=5)
            axes.yaxis.set_major_locator(MaxNLocator(5, steps=_ROUND_STEPS))
            axes.grid(axis="y", color=_PALE, lw=0.5)
            axes.set_axisbelow(True)
            axes.margins(x=0.01, y=0.08)
        rows[-1].set_xlabel(f"time in the session ({unit})")
        return _finish(figure, "trends", alt)


def running_median(values: FloatArray) -> FloatArray:
    """Median over the strides around each: 21, more in long and fewer in short sessions."""
    n = len(values)
    width = max(min(_TREND_STRIDES, n // 5), n // _TREND_WINDOWS)
    return np.asarray(median_filter(values, size=width | 1, mode="reflect"), np.float64)


def _line(side: Side) -> dict[str, Any]:
    return {"color": SIDE_COLOURS[side], "ls": SIDE_DASHES[side], "lw": 1.5}


def _cycle_axis(axes: Any) -> None:
    axes.set_xlim(0, 100)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("% of gait cycle")
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=_ROUND_STEPS))


def _mark_foot_off(axes: Any, foot_off_pct: Mapping[Side, float]) -> None:
    low, high = axes.get_ylim()
    foot = low + 0.10 * (high - low)
    for side, at in foot_off_pct.items():
        if np.isfinite(at):
            axes.plot([at, at], [foot, high - 0.10 * (high - low)], color=SIDE_COLOURS[side], lw=0.8, ls=(0, (1, 1.5)))
    known = [at for at in foot_off_pct.values() if np.isfinite(at)]
    if known:
        axes.text(
            max(known) + 1.5, high - 0.12 * (high - low), "foot off", color=_GREY, size=6.5, va="top",
            bbox={"fc": "white", "ec": "none", "alpha": 0.85, "pad": 0.6},
        )  # fmt: skip


def _finish(figure: Figure, name: str, alt: str) -> str:
    told: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            told.setdefault(label, handle)
    labels, handles = list(told), list(told.values())
    top = 1.0
    if len(handles) > 1:
        height = figure.get_size_inches()[1]
        top = 1 - 0.22 / height
        figure.legend(
            handles, labels, loc="upper right", ncols=2, bbox_to_anchor=(0.995, 1.0), borderaxespad=0.1,
            handlelength=2.6, labelcolor=_INK,
        )  # fmt: skip
    figure.tight_layout(rect=(0, 0, 1, top), pad=0.4, w_pad=1.6, h_pad=1.2)
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(text.getvalue(), name, alt)


def _inline(svg: str, name: str, alt: str) -> str:
    """Make an SVG file a part of an HTML page: no prologue, no outside names, own ids, the page's fonts, a text."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r"'DejaVu Sans'(, [^;\"]*)?(?=[;\"])", _FONTS, svg)
    head, body = svg.split(">", 1)
    view = re.search(r'viewBox="[^"]+"', head)
    assert view is not None
    told = alt.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<svg {view[0]} role="img" aria-labelledby="{name}-alt"><title id="{name}-alt">{told}</title>{body}'
