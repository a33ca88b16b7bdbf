"""A comparison in words, and as JSON."""

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from subtalar.report.comparison.differences import Comparison, Setting, SideDifference, StridePair
from subtalar.report.comparison.result_sets import ResultSet
from subtalar.types import Stride

_UNITS = (("_deg_s", "°/s"), ("_deg", "°"), ("_s", "s"), ("_m", "m"), ("_pct", "%"), ("_g", "g"))


def comparison_lines(found: Comparison, *, each_stride: bool = False) -> Iterator[str]:
    """For a terminal."""
    yield f"A: {_describe(found.a)}"
    yield f"B: {_describe(found.b)}"
    if found.rounded:
        yield "One of them is a table: both are compared with the decimals of the tables."
    yield from _setting_lines(found.settings)
    rows = sum(side.rows_in_common for side in found.sides)
    if found.identical:
        how = "to the last decimal" if found.rounded else "to the last bit"
        yield f"Identical {how}: {rows} rows of angles and {len(found.pairs)} strides."
        return
    for side in found.sides:
        yield from _side_lines(side)
    same = sum(pair.identical for pair in found.pairs)
    yield f"Strides: {len(found.pairs)} in both, {same} of them identical."
    for name, only in (("A", found.only_in_a), ("B", found.only_in_b)):
        if only:
            yield f"  only in {name}: {', '.join(_contact(stride) for stride in only)}"
    for side in found.sides:
        for measure in found.measures(side.side):
            if measure.strides and measure.max > 0:
                yield (
                    f"  {side.side} {measure.name}: mean {measure.mean:+.3g}, RMS {measure.rms:.3g}, "
                    f"largest {measure.max:.3g}{_unit(measure.name)} ({measure.strides} strides)"
                )
    if each_stride:
        for pair in found.pairs:
            yield from _pair_lines(pair)


def comparison_json(found: Comparison) -> dict[str, Any]:
    """Plain values; what is not known is null."""
    return {
        "a": _result_set_json(found.a),
        "b": _result_set_json(found.b),
        "identical": found.identical,
        "compared_with_decimals_of_tables": found.rounded,
        "settings": [asdict(setting) for setting in found.settings],
        "sides": {
            side.side: {
                **{k: v for k, v in asdict(side).items() if k not in ("side", "angles")},
                "angles": {a.name: {k: _known(v) for k, v in asdict(a).items() if k != "name"} for a in side.angles},
                "measures": {
                    m.name: {k: _known(v) for k, v in asdict(m).items() if k != "name"}
                    for m in found.measures(side.side)
                },
            }
            for side in found.sides
        },
        "strides": [
            {
                "side": pair.a.side,
                "initial_contact_a_s": pair.a.initial_contact_s,
                "initial_contact_b_s": pair.b.initial_contact_s,
                "identical": pair.identical,
                "quality_a": pair.a.quality,
                "quality_b": pair.b.quality,
                "b_minus_a": {name: _known(value) for name, value in pair.differences.items()},
            }
            for pair in found.pairs
        ],
        "strides_only_in_a": [_stride_json(stride) for stride in found.only_in_a],
        "strides_only_in_b": [_stride_json(stride) for stride in found.only_in_b],
    }


def _describe(results: ResultSet) -> str:
    rows = sum(len(r.time_s) for r in results.rows.values())
    by = f" by subtalar {results.made['subtalar']}" if results.made.get("subtalar") else ""
    return f"{results.name}, {results.how}{by}: {rows} rows of angles, {len(results.strides)} strides"


def _setting_lines(settings: tuple[Setting, ...]) -> Iterator[str]:
    if not settings:
        yield "Made alike: the same software and the same parameters."
        return
    yield "Made with different settings:"
    for setting in settings:
        yield f"  {setting.name}: {_value(setting.a)} in A, {_value(setting.b)} in B"


def _value(value: Any) -> str:
    return "not known" if value is None else str(value)


def _side_lines(side: SideDifference) -> Iterator[str]:
    head = f"{side.side.capitalize()}: {side.rows_in_common} rows in both"
    if side.rows_a != side.rows_in_common or side.rows_b != side.rows_in_common:
        head += f" of {side.rows_a} in A and {side.rows_b} in B"
    yield f"{head}, {'identical' if side.identical else 'different'}"
    if side.identical:
        return
    for angle in side.angles:
        only = "".join(
            f", {n} known only in {which}"
            for n, which in ((angle.known_only_in_a, "A"), (angle.known_only_in_b, "B"))
            if n
        )
        if angle.rows:
            yield f"  {angle.name}: RMS {angle.rms_deg:.3g}°, largest {angle.max_deg:.3g}°{only}"
        elif only:
            yield f"  {angle.name}{only}"
    if side.quality_differs:
        yield f"  quality: another one in {side.quality_differs} rows"


def _pair_lines(pair: StridePair) -> Iterator[str]:
    changed = [f"{name} {value:+.3g}{_unit(name)}" for name, value in pair.differences.items() if value]
    changed = [text for text in changed if "nan" not in text]
    if pair.a.quality != pair.b.quality:
        changed.append(f"quality {pair.a.quality} → {pair.b.quality}")
    yield f"  {_contact(pair.a)}: {', '.join(changed) or 'identical'}"


def _contact(stride: Stride) -> str:
    return f"{stride.side} {stride.initial_contact_s:.2f} s"


def _unit(name: str) -> str:
    return next((f" {unit}" if unit != "°" else unit for end, unit in _UNITS if name.endswith(end)), "")


def _result_set_json(results: ResultSet) -> dict[str, Any]:
    return {
        "name": results.name,
        "how": results.how,
        "made": dict(results.made),
        "rows": {side: len(rows.time_s) for side, rows in results.rows.items()},
        "strides": len(results.strides),
    }


def _stride_json(stride: Stride) -> dict[str, Any]:
    return {name: _known(value) for name, value in asdict(stride).items()}


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
