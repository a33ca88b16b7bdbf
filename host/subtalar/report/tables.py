"""``strides.csv`` and ``summary.json``: the numbers for other programs."""

import csv
import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from subtalar import __version__
from subtalar.anatomy import ANGLE_NAMES, ANKLE_NAMES, FURTHER_GROUPS, columns_of
from subtalar.report.data_quality import judge
from subtalar.report.measures import (
    Curves,
    Spread,
    compare,
    curves,
    measure_spread,
    spread,
    waveform_rms_difference_deg,
)
from subtalar.report.results import AnalysisResult, SensorFacts, SideResult
from subtalar.report.waveforms import CYCLE_PCT
from subtalar.strides import MEASURES, STRIDE_NAMES
from subtalar.types import FloatArray

SUMMARY_VERSION: Final = 1
STRIDE_DECIMALS: Final = 5
"""Of ``strides.csv`` and of ``summary.json``."""


def write_strides(path: Path, result: AnalysisResult) -> None:
    """One row a stride of either side, in order of initial contact; what is not known is empty."""
    strides = sorted(
        (stride for side in result.sides.values() for stride in side.strides),
        key=lambda stride: (stride.initial_contact_s, stride.side),
    )
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(STRIDE_NAMES)
        writer.writerows([_cell(getattr(stride, name)) for name in STRIDE_NAMES] for stride in strides)


def _cell(value: object) -> object:
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        rounded = round(value, STRIDE_DECIMALS)
        return repr(rounded if rounded else 0.0)
    return value


def write_summary(path: Path, result: AnalysisResult) -> None:
    """Write ``summary(result)`` as JSON."""
    text = json.dumps(summary(result), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def summary(result: AnalysisResult) -> dict[str, Any]:
    """The session in numbers. Every number carries its unit in its key or in the key above it; null = not known.

    ``format``, ``version``
        ``subtalar-summary``, 1. Further keys may come; these stay.
    ``software``
        ``name``, ``version``, ``analysed_utc``.
    ``pass``
        ``live``, or ``smoothed``: angles that look ahead over the whole recording.
    ``session``
        ``name``, ``kind``, ``start_utc``, ``duration_s``, ``gait`` (that of most strides; the only one in the means),
        ``annotations`` (list of ``label``, ``start_s``, ``end_s``), ``notes``, ``about`` (``participant``, ``visit``,
        ``condition``, those that were said).
    ``sensors``
        By body site: ``model``, ``nominal_rate_hz``, ``measured_rate_hz``, ``received_samples``, ``lost_samples``,
        ``lost_is_estimated``, ``lost_ratio``, ``duplicated_samples``, ``corrupt_bytes``, ``reconnects``,
        ``clock_drift_ppm``, ``delay_ms``, ``clock_jumps``.
    ``sides``
        By side, only those that carried a sensor: ``stride_count``, ``used_stride_count`` (in the means),
        ``only_reliable_strides_used``, ``other_gait_stride_count``, ``waveform_stride_count``,
        ``stride_quality_counts``; ``measures``: by name (as in ``strides.csv``, and ``cadence_steps_per_min``,
        ``speed_m_s``) ``{"mean", "sd", "n"}`` over the used strides; ``stride_time_cv_pct``; ``angles``: ``row_count``,
        ``known_ratio``, ``quality_ratios`` (shares of the rows of ``angles.csv``), ``mean_sd_deg`` and
        ``mean_sd_in_strides_deg`` by angle, ``zero_sd_deg`` (the constant part of these that the common zero has);
        ``mean_waveforms``: ``gait_cycle_pct`` and by angle ``_deg`` the 101
        values of ``mean`` and ``sd``, null without angles; ``one_sensor``: ``foot`` or ``shank`` where the leg carried
        only that sensor, else null; ``subtalar_unexplained_deg``: what two hinges leave of the ankle's rotation, root
        mean square in stance; ``further_mean_waveforms``: as ``mean_waveforms``, of the further angles.
    ``subtalar_axis``
        ``inclination_deg`` and ``deviation_deg`` of the axis that pronation is told about.
    ``symmetry``
        Null for one leg; else ``measures``: by name ``difference`` (left minus right, unit of the measure) and, where
        zero means none, ``symmetry_index_pct`` (Robinson et al. 1987); and ``waveform_rms_difference_deg`` by angle.
    ``data_quality``
        ``verdict`` (``good``, ``limited``, ``poor``) and the ``reasons`` in words.
    ``notices``
        What the estimator said: ``level``, ``code``, ``text``, ``side``, ``site``, ``first_s``, ``count``.
    """
    verdict = judge(result)
    return {
        "format": "subtalar-summary",
        "version": SUMMARY_VERSION,
        "software": {
            "name": "subtalar",
            "version": __version__,
            "analysed_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        "pass": result.estimator_pass,
        "session": {
            "name": result.session_name,
            "kind": result.kind,
            "start_utc": result.start_utc.isoformat() if result.start_utc else None,
            "duration_s": _number(result.duration_s),
            "gait": result.gait if result.stride_count else None,
            "annotations": [
                {"label": a.label, "start_s": _number(a.start_s), "end_s": _number(a.end_s)} for a in result.annotations
            ],
            "notes": list(result.notes),
            "about": result.assignment.as_json(),
        },
        "sensors": {sensor.info.site.value: _sensor(sensor) for sensor in result.sensors},
        "sides": {name: _side(result, side) for name, side in result.sides.items()},
        "subtalar_axis": {
            "inclination_deg": _number(result.subtalar_axis_deg[0]),
            "deviation_deg": _number(result.subtalar_axis_deg[1]),
        },
        "symmetry": _symmetry(result),
        "data_quality": {"verdict": verdict.level, "reasons": list(verdict.reasons)},
        "notices": [
            {
                "level": tally.level,
                "code": tally.code,
                "text": tally.text,
                "side": tally.side,
                "site": tally.site.value if tally.site else None,
                "first_s": _number(tally.first_s),
                "count": tally.count,
            }
            for tally in result.notices
        ],
    }


def _sensor(sensor: SensorFacts) -> dict[str, Any]:
    ledger = sensor.ledger
    return {
        "model": sensor.info.model or None,
        "nominal_rate_hz": _number(sensor.info.rate_hz),
        "measured_rate_hz": _number(sensor.measured_rate_hz),
        "received_samples": sensor.samples,
        "lost_samples": ledger.lost,
        "lost_is_estimated": ledger.lost_is_estimated,
        "lost_ratio": _number(sensor.lost_ratio),
        "duplicated_samples": ledger.duplicated,
        "corrupt_bytes": ledger.corrupt_bytes,
        "reconnects": ledger.reconnects,
        "clock_drift_ppm": None if ledger.clock_drift_ppm is None else _number(ledger.clock_drift_ppm),
        "delay_ms": None if ledger.delay_ms is None else _number(ledger.delay_ms),
        "clock_jumps": ledger.clock_jumps,
    }


def _side(result: AnalysisResult, side: SideResult) -> dict[str, Any]:
    used = side.used_strides
    spreads = {measure.key: measure_spread(measure, used) for measure in MEASURES}
    rows = side.coverage.rows
    return {
        "stride_count": len(side.strides),
        "used_stride_count": len(used),
        "only_reliable_strides_used": side.only_reliable,
        "other_gait_stride_count": result.other_gait_count(side.side),
        "waveform_stride_count": len(side.used_waveforms_deg),
        "stride_quality_counts": dict(side.stride_qualities()),
        "measures": {key: _spread(value) for key, value in spreads.items()},
        "stride_time_cv_pct": _number(spreads["stride_time_s"].cv_pct),
        "angles": {
            "row_count": rows,
            "known_ratio": _number(side.coverage.known_ratio) if rows else None,
            "quality_ratios": {quality.label: _number(n / rows) for quality, n in side.coverage.by_quality.items()},
            "mean_sd_deg": _by_angle(side.coverage.mean_sd_deg),
            "zero_sd_deg": _number(side.coverage.zero_sd_deg),
            "mean_sd_in_strides_deg": _by_angle(side.used_sd_deg),
        },
        "mean_waveforms": _waveforms(curves(side.used_waveforms_deg)),
        "one_sensor": side.one_sensor,
        "subtalar_unexplained_deg": _spread(spread([stride.subtalar_unexplained_deg for stride in used])),
        "further_mean_waveforms": _further_waveforms(side),
    }


def _symmetry(result: AnalysisResult) -> dict[str, Any] | None:
    if len(result.sides) < 2:
        return None
    left, right = result.sides["left"], result.sides["right"]
    compared: dict[str, Any] = {}
    for measure in MEASURES:
        comparison = compare(
            measure, measure_spread(measure, left.used_strides), measure_spread(measure, right.used_strides)
        )
        compared[measure.key] = {"difference": _number(comparison.difference)}
        if measure.scale == "ratio":
            compared[measure.key]["symmetry_index_pct"] = _number(comparison.symmetry_index_pct)
    both = curves(left.used_waveforms_deg), curves(right.used_waveforms_deg)
    rms = waveform_rms_difference_deg(both[0], both[1]) if both[0] and both[1] else np.full(len(ANKLE_NAMES), np.nan)
    return {"measures": compared, "waveform_rms_difference_deg": _by_angle(rms)}


def _waveforms(mean: Curves | None) -> dict[str, Any] | None:
    if mean is None:
        return None
    waveforms: dict[str, Any] = {"gait_cycle_pct": _numbers(CYCLE_PCT)}
    for k, name in enumerate(ANKLE_NAMES):
        waveforms[f"{name}_deg"] = {"mean": _numbers(mean.mean_deg[:, k]), "sd": _numbers(mean.sd_deg[:, k])}
    return waveforms


def _further_waveforms(side: SideResult) -> dict[str, Any]:
    waveforms: dict[str, Any] = {}
    for group in FURTHER_GROUPS:
        mean = curves(side.used_further_deg(group))
        for k, name in enumerate(ANGLE_NAMES[column] for column in columns_of(group)):
            waveforms[f"{name}_deg"] = mean and {
                "mean": _numbers(mean.mean_deg[:, k]),
                "sd": _numbers(mean.sd_deg[:, k]),
            }
    return waveforms


def _spread(value: Spread) -> dict[str, Any]:
    return {"mean": _number(value.mean), "sd": _number(value.sd), "n": value.n}


def _by_angle(values: Sequence[float] | FloatArray) -> dict[str, float | None]:
    return {name: _number(value) for name, value in zip(ANKLE_NAMES, values, strict=True)}


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [_number(value) for value in values]


def _number(value: float) -> float | None:
    return round(float(value), STRIDE_DECIMALS) + 0.0 if math.isfinite(value) else None
