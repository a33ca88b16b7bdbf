"""Strides against true ones."""

from dataclasses import fields

import numpy as np
import pytest

from subtalar.types import Stride
from subtalar_bench.accuracy.stride_score import matches, score_strides
from subtalar_bench.accuracy.truth_trial import TrueStrides

N = 20
TRUE = TrueStrides(
    10.0 + 1.1 * np.arange(N), 10.7 + 1.1 * np.arange(N), np.full(N, 1.1), np.full(N, 8.0), np.full(N, 10.0), np.ones(N)
)


def stride(k: int, lag_s: float = 0.0, **changed: float) -> Stride:
    values: dict[str, object] = {f.name: float("nan") for f in fields(Stride)}
    values |= {"side": "right", "lost_samples": 0, "quality": "ok"}
    values["initial_contact_s"] = TRUE.initial_contact_s[k] + lag_s
    values["foot_off_s"] = TRUE.foot_off_s[k] + lag_s
    values |= {"stride_time_s": 1.1, "peak_eversion_deg": 8.0, "tibial_rotation_excursion_deg": 10.0}
    values |= {"peak_dorsiflexion_deg": 1.0}
    return Stride(**{**values, **changed})  # type: ignore[arg-type]


def test_perfect_strides_have_no_error() -> None:
    score = score_strides([stride(k, 0.02) for k in range(N)], TRUE, 0.02)
    assert (score.true, score.found, score.missed, score.invented, score.measured) == (N, N, 0, 0, N)
    errors = (score.initial_contact_s, score.foot_off_s, score.stride_time_s, score.peak_eversion_deg)
    assert errors == pytest.approx((0, 0, 0, 0))


def test_missed_and_invented() -> None:
    strides = [stride(k) for k in range(2, N)]
    strides.insert(5, stride(7, initial_contact_s=10.0 + 1.1 * 7.5))  # type: ignore[arg-type]
    score = score_strides(strides, TRUE, 0.0)
    assert (score.found, score.missed, score.invented) == (N - 2, 2, 1)


def test_errors_are_medians_of_absolute_values() -> None:
    strides = [stride(k, peak_eversion_deg=8.0 + (2.0 if k % 2 else -2.0)) for k in range(N)]
    strides = [s if k else stride(0, peak_eversion_deg=float("nan")) for k, s in enumerate(strides)]
    score = score_strides(strides, TRUE, 0.0)
    assert score.peak_eversion_deg == pytest.approx(2.0)
    assert score.measured == N - 1


def test_nothing_found() -> None:
    score = score_strides([], TRUE, 0.0)
    assert (score.found, score.missed, score.invented) == (0, N, 0)
    assert np.isnan(score.initial_contact_s)


def test_a_true_stride_is_matched_once() -> None:
    assert matches(np.array([1.0, 1.1, 5.0]), np.array([1.08, 9.0]), 0.3) == [(1, 0)]
