"""Strides against the true ones: found, missed, invented; events and measures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from subtalar.types import FloatArray, Stride
from subtalar_bench.accuracy.truth_trial import TrueStrides

_SAME_S = 0.3
"""A contact further than this from every true one belongs to no true stride."""


@dataclass(frozen=True)
class StrideScore:
    """One side. Errors are medians of absolute differences after the lag is taken out; NaN where nothing was found.

    ``measured``: found strides that carry angle measures, not just events.
    """

    true: int
    found: int
    missed: int
    invented: int
    measured: int
    initial_contact_s: float
    foot_off_s: float
    stride_time_s: float
    peak_eversion_deg: float
    tibial_rotation_excursion_deg: float
    peak_dorsiflexion_deg: float


def score_strides(strides: Sequence[Stride], true: TrueStrides, lag_s: float) -> StrideScore:
    """Match strides by initial contact, each with at most one true stride (mutually nearest, within 0.3 s)."""
    contact_s = np.array([s.initial_contact_s for s in strides]) - lag_s
    pairs = matches(contact_s, true.initial_contact_s, _SAME_S)
    mine = [strides[i] for i, _ in pairs]
    j = np.array([k for _, k in pairs], dtype=np.intp)

    def error(name: str, truth: FloatArray, lag: float = 0.0) -> float:
        difference = np.array([getattr(s, name) for s in mine]) - lag - truth[j]
        known = difference[np.isfinite(difference)]
        return float(np.median(np.abs(known))) if len(known) else float("nan")

    return StrideScore(
        true=len(true),
        found=len(pairs),
        missed=len(true) - len(pairs),
        invented=len(strides) - len(pairs),
        measured=sum(bool(np.isfinite(s.peak_eversion_deg)) for s in mine),
        initial_contact_s=error("initial_contact_s", true.initial_contact_s, lag_s),
        foot_off_s=error("foot_off_s", true.foot_off_s, lag_s),
        stride_time_s=error("stride_time_s", true.stride_time_s),
        peak_eversion_deg=error("peak_eversion_deg", true.peak_eversion_deg),
        tibial_rotation_excursion_deg=error("tibial_rotation_excursion_deg", true.tibial_rotation_excursion_deg),
        peak_dorsiflexion_deg=error("peak_dorsiflexion_deg", true.peak_dorsiflexion_deg),
    )


def matches(found_s: FloatArray, true_s: FloatArray, within_s: float) -> list[tuple[int, int]]:
    """Pairs (found, true) of instants that are each other's nearest and no further apart than ``within_s``."""
    if len(found_s) == 0 or len(true_s) == 0:
        return []
    apart = np.abs(found_s[:, None] - true_s[None, :])
    nearest_true, nearest_found = apart.argmin(axis=1), apart.argmin(axis=0)
    return [(i, int(k)) for i, k in enumerate(nearest_true) if nearest_found[k] == i and apart[i, k] <= within_s]
