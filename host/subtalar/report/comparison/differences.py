"""Two sets of results side by side: settings, angles row by row, strides by their initial contact."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from subtalar.anatomy import ANGLE_NAMES
from subtalar.report.comparison.result_sets import ResultSet, Rows, rounded
from subtalar.strides import STRIDE_NUMBERS
from subtalar.types import SIDES, FloatArray, Side, Stride

SAME_CONTACT_S: Final = 0.15
"""Two strides of one side whose contacts are nearer than this are the same step, told twice."""


@dataclass(frozen=True)
class Setting:
    """One that differs; None: not known there."""

    name: str
    a: Any
    b: Any


@dataclass(frozen=True)
class AngleDifference:
    """B minus A over the rows that both know. Counts of rows that only one of them knows."""

    name: str
    rows: int
    rms_deg: float
    max_deg: float
    known_only_in_a: int
    known_only_in_b: int


@dataclass(frozen=True)
class SideDifference:
    """Rows of one side; ``identical``: times, angles, sd and quality are the same in every row."""

    side: Side
    rows_a: int
    rows_b: int
    rows_in_common: int
    identical: bool
    angles: tuple[AngleDifference, ...]
    quality_differs: int


@dataclass(frozen=True)
class StridePair:
    """The same stride in both; ``differences`` are B minus A, NaN where one of them does not know it."""

    a: Stride
    b: Stride
    identical: bool
    differences: Mapping[str, float]


@dataclass(frozen=True)
class MeasureDifference:
    """B minus A of one measure of the strides, over those in which both know it."""

    name: str
    strides: int
    mean: float
    rms: float
    max: float
    known_only_in_a: int
    known_only_in_b: int


@dataclass(frozen=True)
class Comparison:
    """Everything. ``rounded``: both were brought to the decimals of the tables first."""

    a: ResultSet
    b: ResultSet
    rounded: bool
    settings: tuple[Setting, ...]
    sides: tuple[SideDifference, ...]
    pairs: tuple[StridePair, ...]
    only_in_a: tuple[Stride, ...]
    only_in_b: tuple[Stride, ...]

    @property
    def identical(self) -> bool:
        """Every row and every stride is the same, to the last bit (or the last decimal of a table)."""
        rows = all(side.identical for side in self.sides)
        return rows and not self.only_in_a and not self.only_in_b and all(pair.identical for pair in self.pairs)

    def measures(self, side: Side) -> tuple[MeasureDifference, ...]:
        """How the measures of a side's strides differ."""
        pairs = [pair for pair in self.pairs if pair.a.side == side]
        return tuple(_measure(name, pairs) for name in STRIDE_NUMBERS) if pairs else ()


def compare_results(a: ResultSet, b: ResultSet) -> Comparison:
    """Compare two sets of results."""
    coarse = a.rounded or b.rounded
    if coarse:
        a, b = rounded(a), rounded(b)
    pairs, only_a, only_b = _pair(a.strides, b.strides)
    return Comparison(
        a,
        b,
        coarse,
        _settings(a.made, b.made, all_known=not coarse),
        tuple(_side(side, a.rows.get(side), b.rows.get(side)) for side in SIDES if side in a.rows or side in b.rows),
        pairs,
        only_a,
        only_b,
    )


def _settings(a: Mapping[str, Any], b: Mapping[str, Any], *, all_known: bool) -> tuple[Setting, ...]:
    """Tables say less of how they were made than recordings do: what they do not say is no difference."""
    names = [*a, *(name for name in b if name not in a)]
    if not all_known:
        names = [name for name in names if name in a and name in b]
    return tuple(Setting(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name))


def _side(side: Side, a: Rows | None, b: Rows | None) -> SideDifference:
    if a is None or b is None:
        rows = 0 if a is None else len(a.time_s), 0 if b is None else len(b.time_s)
        return SideDifference(side, *rows, 0, False, (), 0)
    in_a, in_b = _matched(a.time_s, b.time_s)
    identical = all(
        _same_bits(x, y) for x, y in ((a.time_s, b.time_s), (a.values_deg, b.values_deg), (a.sd_deg, b.sd_deg))
    ) and np.array_equal(a.quality, b.quality)
    angles = tuple(
        _angle(name, a.values_deg[in_a, k], b.values_deg[in_b, k])
        for k, name in enumerate(ANGLE_NAMES)
        if np.isfinite(a.values_deg[:, k]).any() or np.isfinite(b.values_deg[:, k]).any()
    )
    quality = int((a.quality[in_a] != b.quality[in_b]).sum())
    return SideDifference(side, len(a.time_s), len(b.time_s), len(in_a), identical, angles, quality)


def _same_bits(a: FloatArray, b: FloatArray) -> bool:
    """Unknown values are alike, whatever their bits."""
    if a.shape != b.shape:
        return False
    bits = np.ascontiguousarray(a).view(np.int64) == np.ascontiguousarray(b).view(np.int64)
    return bool((bits | (np.isnan(a) & np.isnan(b))).all())


def _matched(a: FloatArray, b: FloatArray) -> tuple[Any, Any]:
    """Indices of rows of the same instant, to within half a sample."""
    if len(a) == len(b) and np.array_equal(a, b, equal_nan=True):
        every = np.arange(len(a))
        return every, every
    if not len(a) or not len(b):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    half = 0.5 * float(np.median(np.diff(a))) if len(a) > 1 else 0.005
    after = np.clip(np.searchsorted(b, a), 1, max(len(b) - 1, 1))
    before_is_nearer = np.abs(b[after - 1] - a) <= np.abs(b[np.minimum(after, len(b) - 1)] - a)
    nearest = np.where(before_is_nearer, after - 1, np.minimum(after, len(b) - 1))
    keep = np.abs(b[nearest] - a) <= half
    return np.flatnonzero(keep), nearest[keep]


def _angle(name: str, a: FloatArray, b: FloatArray) -> AngleDifference:
    known_a, known_b = np.isfinite(a), np.isfinite(b)
    difference = (b - a)[known_a & known_b]
    return AngleDifference(
        name,
        len(difference),
        float(np.sqrt(np.mean(difference**2))) if len(difference) else math.nan,
        float(np.abs(difference).max()) if len(difference) else math.nan,
        int((known_a & ~known_b).sum()),
        int((known_b & ~known_a).sum()),
    )


def _pair(
    a: Sequence[Stride], b: Sequence[Stride]
) -> tuple[tuple[StridePair, ...], tuple[Stride, ...], tuple[Stride, ...]]:
    """Each stride with the nearest one of the same side; nearest pairs first."""
    near = sorted(pair for side in SIDES for pair in _near(side, a, b))
    taken_a: dict[int, int] = {}
    taken_b: set[int] = set()
    for _, i, j in near:
        if i not in taken_a and j not in taken_b:
            taken_a[i] = j
            taken_b.add(j)
    pairs = tuple(_compared(a[i], b[j]) for i, j in sorted(taken_a.items()))
    return (
        pairs,
        tuple(x for i, x in enumerate(a) if i not in taken_a),
        tuple(y for j, y in enumerate(b) if j not in taken_b),
    )


def _near(side: Side, a: Sequence[Stride], b: Sequence[Stride]) -> Iterator[tuple[float, int, int]]:
    """How far apart contacts are, and the two indices, of all that may be the same step."""
    there = sorted((s.initial_contact_s, j) for j, s in enumerate(b) if s.side == side)
    for i, stride in enumerate(a):
        if stride.side != side:
            continue
        at_s = stride.initial_contact_s
        first = bisect_left(there, (at_s - SAME_CONTACT_S, -1))
        for contact_s, j in there[first:]:
            if contact_s > at_s + SAME_CONTACT_S:
                break
            yield abs(contact_s - at_s), i, j


def _compared(a: Stride, b: Stride) -> StridePair:
    differences = {name: getattr(b, name) - getattr(a, name) for name in STRIDE_NUMBERS}
    return StridePair(a, b, all(_same(getattr(a, f.name), getattr(b, f.name)) for f in fields(Stride)), differences)


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


def _measure(name: str, pairs: Sequence[StridePair]) -> MeasureDifference:
    a = np.array([getattr(pair.a, name) for pair in pairs])
    b = np.array([getattr(pair.b, name) for pair in pairs])
    known_a, known_b = np.isfinite(a), np.isfinite(b)
    d = (b - a)[known_a & known_b]
    mean, rms, largest = (float(d.mean()), float(np.sqrt(np.mean(d**2))), float(np.abs(d).max())) if len(d) else _NAN
    return MeasureDifference(
        name, len(d), mean, rms, largest, int((known_a & ~known_b).sum()), int((known_b & ~known_a).sum())
    )


_NAN: Final = (math.nan, math.nan, math.nan)
