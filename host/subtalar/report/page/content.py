"""What the page says, as text and rows; the template only lays it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np

from subtalar.report.measures import (
    Curves,
    Spread,
    compare,
    measure_spread,
    spread,
    waveform_rms_difference_deg,
)
from subtalar.report.page.figures import Series
from subtalar.report.results import AnalysisResult, SideResult
from subtalar.report.wording import ANKLE_WORDS, count, duration, joined, site_words
from subtalar.strides import MEASURES, Measure
from subtalar.types import Side

UNKNOWN: Final = "–"
CYCLES_FOR_VARIABILITY: Final = 50
"""König et al. 2014 (doi 10.1016/j.gaitpost.2013.06.014): measures of variability level off at 50 strides."""

_TRENDS = ("peak_eversion_deg", "tibial_rotation_excursion_deg")
_BY_KEY = {measure.key: measure for measure in MEASURES}
_LONGEST_LABEL = 60
_POINTS_BEFORE_CONTACT = 5  # the last 5 % of the cycle


def number(value: float, decimals: int, *, signed: bool = False) -> str:
    """With a real minus sign; never "−0.0"; a dash where not known."""
    if not np.isfinite(value):
        return UNKNOWN
    text = f"{round(value, decimals) + 0.0:{'+' if signed else ''}.{decimals}f}"
    if signed and not float(text):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def mean_sd(value: Spread, decimals: int, scale: float = 1.0) -> str:
    """``6.1 ± 0.8``."""
    if not value.n:
        return UNKNOWN
    if value.n == 1:
        return number(value.mean * scale, decimals)
    decimals += 0 < value.sd * scale < 0.5 * 10.0**-decimals  # a spread never reads as none at all
    return _with_sd(number(value.mean * scale, decimals), number(value.sd * scale, decimals))


def _with_sd(mean: str, sd: str) -> str:
    """In one piece, wherever the line breaks."""
    return f"{mean}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{sd}"


def _spreads(result: AnalysisResult, measure: Measure) -> dict[Side, Spread]:
    return {side: measure_spread(measure, found.used_strides) for side, found in result.sides.items()}


def facts(result: AnalysisResult) -> list[tuple[str, str]]:
    """What was recorded."""
    sites = [site_words(sensor.info.site) for sensor in result.sensors]
    rates = sorted({f"{sensor.info.rate_hz:g} Hz" for sensor in result.sensors})
    labels = " · ".join(
        word for word in (result.assignment.participant, result.assignment.visit, result.assignment.condition) if word
    )
    rows = [
        *([("Participant" if result.assignment.participant else "Condition", labels)] if labels else []),
        ("Recorded", result.start_utc.strftime("%d %B %Y, %H:%M %Z") if result.start_utc else "date not in the file"),
        ("Duration", duration(result.duration_s)),
        ("Sensors", f"{len(sites)} ({', '.join(sites)}), {joined(rates)}"),
    ]
    if result.estimator_pass == "smoothed":
        rows.append(("Angles", "smoothed: they look ahead over the whole recording and are not what was shown live"))
    if result.annotations:
        parts = [f"{_label(a.label)} {a.start_s:.0f}–{a.end_s:.0f} s" for a in result.annotations[:8]]
        more = f" and {len(result.annotations) - 8} more" if len(result.annotations) > 8 else ""
        rows.append(("Marked parts", ", ".join(parts) + more))
    return rows


def _label(text: str) -> str:
    words = text.replace("_", " ")
    return words if len(words) <= _LONGEST_LABEL else words[: _LONGEST_LABEL - 1] + "…"


def headline(result: AnalysisResult) -> list[str]:
    """The first sentences: what was recorded and what it shows, in plain words."""
    if not result.stride_count:
        return [
            f"This session of {duration(result.duration_s)} holds no strides: no walking or running was found. "
            "The angles over time are in angles.csv."
        ]
    counts = [f"{count(len(found.strides), 'stride')} of the {side} leg" for side, found in result.sides.items()]
    sentences = [f"In {duration(result.duration_s)}, {joined(counts)} were recorded ({result.gait})."]
    for side, found in result.sides.items():
        sentences += _remarks_on_strides(result, side, found)
    if any(len(found.used_strides) < len(found.strides) for found in result.sides.values()):
        used = [f"{count(len(found.used_strides), 'stride')} on the {side}" for side, found in result.sides.items()]
        sentences.append(f"The figures are over {joined(used)}; turns and uncertain strides are left out.")
    for measure, words in (
        (_BY_KEY["peak_eversion_deg"], "Eversion (pronation) peaks at"),
        (_BY_KEY["tibial_rotation_excursion_deg"], "The tibia rotates through"),
    ):
        known = [
            f"{_with_sd(number(value.mean, 1) + '°', number(value.sd, 1) + '°')} on the {side}" if value.n > 1
            else f"{number(value.mean, 1)}° on the {side}"
            for side, value in _spreads(result, measure).items() if value.n
        ]  # fmt: skip
        if known:
            sentences.append(f"{words} {joined(known)}.")
    stance = {side: value for side, value in _spreads(result, _BY_KEY["stance_ratio"]).items() if value.n}
    if stance:
        # From a shank alone the moment of foot off is a guess: see ``shank_only_note``.
        shares = [
            f"{'about ' if result.sides[side].one_sensor == 'shank' else ''}{number(100 * value.mean, 0)} % "
            f"on the {side}"
            for side, value in stance.items()
        ]
        sentences.append(f"Of each stride, the foot is on the ground for {joined(shares)}.")
    if uncertainty := _uncertainty(result):
        sentences.append(
            "What follows ± is the spread between strides; the measured angles themselves are uncertain by "
            f"{uncertainty}."
        )
    for side, found in result.sides.items():
        if not found.has_pair:
            sentences.append(
                f"The {side} leg carried a sensor on the {found.one_sensor} only: the {found.one_sensor}’s angles to "
                "the floor and the steps are reported, ankle angles are not."
            )
    return sentences


def _uncertainty(result: AnalysisResult) -> str:
    """The estimator's own, from the surest angle to the least sure; empty without angles."""
    sd = np.concatenate([found.used_sd_deg for found in result.sides.values()])
    known = sd[np.isfinite(sd)]
    if not len(known):
        return ""
    low, high = number(known.min(), 1), number(known.max(), 1)
    return f"±{high}°" if low == high else f"±{low}° to ±{high}°"


def good_data_sentence(result: AnalysisResult) -> str:
    """Why the data are good, in figures."""
    lost = max((sensor.lost_ratio for sensor in result.sensors), default=0.0)
    strides = joined([f"{len(found.used_strides)} on the {side}" for side, found in result.sides.items()])
    missing = f"at most {max(100 * lost, 0.1):.1f} % of a sensor’s samples lost"
    if not lost:
        counted = not any(sensor.ledger.lost_is_estimated for sensor in result.sensors)
        missing = "no samples lost" if counted else "no loss noticed"
    return f"Enough strides ({strides}), {missing}, small uncertainty."


def _remarks_on_strides(result: AnalysisResult, side: Side, found: SideResult) -> list[str]:
    rows = []
    if other := result.other_gait_count(side):
        rows.append(
            f"{count(other, 'stride')} of the {side} leg in another gait {'is' if other == 1 else 'are'} in "
            f"strides.csv but not in these figures, which show {result.gait} alone."
        )
    if found.strides and not found.only_reliable:
        rows.append(
            f"Hardly any stride of the {side} leg was measured reliably, so uncertain ones are in its means as well."
        )
    return rows


@dataclass(frozen=True)
class Tile:
    """A figure at the head of the page: by side, its value."""

    label: str
    values: list[tuple[Side, str]]


def tiles(result: AnalysisResult) -> list[Tile]:
    """Strides, and the measures that are looked at first, where known."""
    shown = [Tile("Strides in the means", [(s, str(len(f.used_strides))) for s, f in result.sides.items()])]
    for key, decimals in (
        ("cadence_steps_per_min", 0),
        ("peak_eversion_deg", 1),
        ("tibial_rotation_excursion_deg", 1),
        ("peak_dorsiflexion_deg", 1),
    ):
        measure, spreads = _BY_KEY[key], _spreads(result, _BY_KEY[key])
        if any(value.n for value in spreads.values()):
            unit = "°" if measure.unit == "°" else ""
            label = measure.label if unit else f"{measure.label} ({measure.unit})"
            shown.append(
                Tile(label, [(s, number(v.mean, decimals) + (unit if v.n else "")) for s, v in spreads.items()])
            )
    return shown


@dataclass(frozen=True)
class MeasureRow:
    """A line of the table of key measures; ``difference`` and ``index`` are empty for one leg."""

    label: str
    unit: str
    values: list[str]
    difference: str
    index: str
    within_uncertainty: bool
    same_for_both_feet: bool = False


def measure_groups(result: AnalysisResult) -> list[tuple[str, list[MeasureRow]]]:
    """The table of key measures, those that are known on any side."""
    groups = []
    for group, measures in groupby(MEASURES, key=lambda measure: measure.group):
        rows = [_measure_row(result, m) for m in measures if any(v.n for v in _spreads(result, m).values())]
        if rows:
            groups.append((group, rows))
    return groups


def _measure_row(result: AnalysisResult, measure: Measure) -> MeasureRow:
    spreads = _spreads(result, measure)
    values = [mean_sd(value, measure.decimals, measure.shown) for value in spreads.values()]
    if len(spreads) < 2:
        return MeasureRow(measure.label, measure.unit, values, "", "", False)
    comparison = compare(measure, spreads["left"], spreads["right"])
    within = False
    if measure.angle is not None:
        sd = np.hypot(*(result.sides[side].used_sd_deg[measure.angle] for side in spreads))
        within = bool(np.isfinite(comparison.difference) and abs(comparison.difference) < 2 * sd)
    return MeasureRow(
        measure.label,
        measure.unit,
        values,
        number(comparison.difference * measure.shown, measure.decimals, signed=True),
        UNKNOWN if measure.same_for_both_feet else number(comparison.symmetry_index_pct, 0, signed=True),
        within,
        measure.same_for_both_feet and bool(np.isfinite(comparison.difference)),
    )


def shank_only_note(result: AnalysisResult) -> str:
    """What the timing of a leg that carries a shank sensor only is worth; empty where none does.

    Foot off against that of two sensors and of simulated legs: docs/one-sensor.md.
    """
    sides: list[str] = [side for side, found in result.sides.items() if found.one_sensor == "shank" and found.strides]
    if not sides:
        return ""
    return (
        f"On the {joined(sides)} foot off is told from the shank alone and may lie some 70 ms beside the truth: "
        "stance by some 6 % of the stride, for all strides alike."
    )


def unknown_measures(result: AnalysisResult) -> str:
    """The measures that are not known on either side, for the line below the table."""
    return ", ".join(m.label.lower() for m in MEASURES if not any(v.n for v in _spreads(result, m).values()))


def waveform_rows(side_curves: Mapping[Side, Curves]) -> list[tuple[str, str]]:
    """How far the mean curves of both sides lie apart; empty for one leg."""
    if len(side_curves) < 2:
        return []
    rms = waveform_rms_difference_deg(side_curves["left"], side_curves["right"])
    return [(words.name.lower(), f"{number(value, 1)}°") for words, value in zip(ANKLE_WORDS, rms, strict=True)]


def trend_panels(result: AnalysisResult) -> list[tuple[str, dict[Side, Series]]]:
    """The measures that are followed over the session, those with three strides or more on a side."""
    panels = []
    for key in _TRENDS:
        measure = _BY_KEY[key]
        sides: dict[Side, Series] = {}
        for side, found in result.sides.items():
            values = np.array([measure.value(stride) for stride in found.used_strides], np.float64)
            time_s = np.array([stride.initial_contact_s for stride in found.used_strides], np.float64)
            known = np.isfinite(values)
            if known.sum() >= 3:
                sides[side] = Series(time_s[known], values[known])
        if sides:
            panels.append((f"{measure.label} ({measure.unit})", sides))
    return panels


def variability_rows(result: AnalysisResult, side_curves: Mapping[Side, Curves]) -> list[tuple[str, list[str]]]:
    """How much strides differ from each other, a side each."""
    rows = []
    cv = {side: value.cv_pct for side, value in _spreads(result, _BY_KEY["stride_time_s"]).items()}
    if np.isfinite(list(cv.values())).any():
        rows.append(("Stride time, coefficient of variation (%)", [number(cv[side], 1) for side in result.sides]))
    several = {side: curve for side, curve in side_curves.items() if curve.n > 1}
    if not several:
        return rows
    for k, words in enumerate(ANKLE_WORDS):
        cells = [number(several[s].sd_deg[:, k].mean(), 1) if s in several else UNKNOWN for s in result.sides]
        rows.append((f"{words.name}, sd averaged over the gait cycle (°)", cells))
    before = {
        side: spread(found.used_waveforms_deg[:, -_POINTS_BEFORE_CONTACT - 1 :, 1].mean(axis=1))
        for side, found in result.sides.items()
    }
    rows.append(("Inversion just before contact, sd (°)", [number(before[s].sd, 1) for s in result.sides]))
    return rows


def too_few_for_variability(result: AnalysisResult) -> str:
    """A sentence where there are too few strides to speak of variability, else empty."""
    few = [side for side, found in result.sides.items() if 0 < len(found.used_strides) < CYCLES_FOR_VARIABILITY]
    if not few:
        return ""
    return (
        f"The {joined(list(few))} side has fewer than {CYCLES_FOR_VARIABILITY} strides: "
        "its variability is not yet reliable (König et al. 2014)."
    )


def waveform_alt(side_curves: Mapping[Side, Curves]) -> str:
    """The picture of the mean curves in words."""
    parts = [
        f"{words.name}, {side}: from {number(curve.mean_deg[:, k].min(), 0)}° to "
        f"{number(curve.mean_deg[:, k].max(), 0)}°"
        for k, words in enumerate(ANKLE_WORDS)
        for side, curve in side_curves.items()
    ]
    return f"Mean ankle angles over the gait cycle with one standard deviation. {'; '.join(parts)}."


def variability_alt(side_curves: Mapping[Side, Curves]) -> str:
    """The picture of the spread between strides in words."""
    parts = [
        f"{words.name}, {side}: largest {number(float(curve.sd_deg[:, k].max()), 1)}° at "
        f"{int(curve.sd_deg[:, k].argmax())} %"
        for k, words in enumerate(ANKLE_WORDS)
        for side, curve in side_curves.items()
    ]
    return f"Standard deviation between strides over the gait cycle. {'; '.join(parts)}."


def trend_alt(panels: Sequence[tuple[str, Mapping[Side, Series]]]) -> str:
    """The picture of the trends in words: first and last tenth."""
    parts = []
    for title, sides in panels:
        for side, series in sides.items():
            tenth = max(len(series.values) // 10, 1)
            first, last = np.median(series.values[:tenth]), np.median(series.values[-tenth:])
            parts.append(f"{title}, {side}: {number(first, 1)} at the start, {number(last, 1)} at the end")
    return f"One dot a stride over the session with a running median. {'; '.join(parts)}."
