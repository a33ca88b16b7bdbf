"""Means, spreads and the comparison of both sides."""

import math

import numpy as np
import pytest

from subtalar.report.measures import (
    Spread,
    compare,
    curves,
    measure_spread,
    spread,
    waveform_rms_difference_deg,
)
from subtalar.report.results import choose_strides, main_gait, stride_gait
from subtalar.strides import MEASURES
from subtalar.types import Stride

from .conftest import NAN, make_stride

BY_KEY = {measure.key: measure for measure in MEASURES}


def test_mean_and_sample_standard_deviation_leave_out_what_is_not_known() -> None:
    found = spread([1.0, NAN, 2.0, 3.0])
    assert (found.mean, found.sd, found.n) == (2.0, 1.0, 3)
    assert math.isclose(found.cv_pct, 50.0)


def test_one_value_has_no_spread_and_none_has_no_mean() -> None:
    one, none = spread([4.0]), spread([NAN])
    assert one.mean == 4.0
    assert math.isnan(one.sd)
    assert none.n == 0
    assert math.isnan(none.mean)


def test_cadence_and_speed_follow_from_stride_time_and_length() -> None:
    strides = [make_stride(stride_time_s=1.2, stride_length_m=1.5)]
    assert math.isclose(measure_spread(BY_KEY["cadence_steps_per_min"], strides).mean, 100.0)
    assert math.isclose(measure_spread(BY_KEY["speed_m_s"], strides).mean, 1.25)


def test_symmetry_index_is_the_difference_over_the_mean_of_both() -> None:
    found = compare(BY_KEY["stride_time_s"], Spread(1.2, 0.1, 9), Spread(1.0, 0.1, 9))
    assert math.isclose(found.difference, 0.2)
    assert math.isclose(found.symmetry_index_pct, 100 * 0.2 / 1.1)
    swapped = compare(BY_KEY["stride_time_s"], Spread(1.0, 0.1, 9), Spread(1.2, 0.1, 9))
    assert math.isclose(swapped.symmetry_index_pct, -found.symmetry_index_pct)


def test_equal_sides_are_symmetric() -> None:
    found = compare(BY_KEY["stance_ratio"], Spread(0.6, 0, 5), Spread(0.6, 0, 5))
    assert (found.difference, found.symmetry_index_pct) == (0.0, 0.0)


def test_an_angle_from_an_arbitrary_zero_has_no_symmetry_index() -> None:
    found = compare(BY_KEY["peak_eversion_deg"], Spread(8.0, 1, 5), Spread(4.0, 1, 5))
    assert found.difference == 4.0
    assert math.isnan(found.symmetry_index_pct)


def test_mean_curves() -> None:
    base = np.linspace(0, 1, 303).reshape(101, 3)
    found = curves(np.stack([base - 1, base, base + 1]))
    assert found is not None
    np.testing.assert_allclose(found.mean_deg, base)
    np.testing.assert_allclose(found.sd_deg, 1.0)
    other = curves((base + np.array([3.0, 0.0, -4.0]))[None])
    assert other is not None
    assert np.isnan(other.sd_deg).all()
    np.testing.assert_allclose(waveform_rms_difference_deg(found, other), [3.0, 0.0, 4.0], atol=1e-12)
    assert curves(np.empty((0, 101, 3))) is None


@pytest.mark.parametrize(("ratio", "gait"), [(0.62, "walking"), (0.38, "running"), (NAN, None)])
def test_gait_by_flight_phase(ratio: float, gait: str | None) -> None:
    assert stride_gait(make_stride(stance_ratio=ratio)) == gait


def test_walking_and_running_are_never_averaged_together() -> None:
    walk, run = make_stride(stance_ratio=0.6), make_stride(stance_ratio=0.35)
    strides = (*[walk] * 6, *[run] * 9)
    assert main_gait(strides) == "running"
    used, _ = choose_strides(strides, "running")
    assert used.tolist() == [False] * 6 + [True] * 9


def test_turns_and_uncertain_strides_stay_out_of_the_means_while_others_are_enough() -> None:
    qualities = ["ok", "turn", "heading_stale", "clipped", "bridged_gap", "few_strides", *["ok"] * 3, "something_new"]
    used, only_reliable = choose_strides(tuple(make_stride(quality=q) for q in qualities), "walking")
    assert only_reliable
    assert [q for q, u in zip(qualities, used, strict=True) if u] == ["ok", "bridged_gap", "ok", "ok", "ok"]


def test_with_hardly_any_reliable_stride_all_are_used_and_it_is_said() -> None:
    strides: tuple[Stride, ...] = (make_stride(), *[make_stride(quality="heading_stale")] * 8)
    used, only_reliable = choose_strides(strides, "walking")
    assert used.all()
    assert not only_reliable


def test_few_but_all_reliable_strides_are_reliable() -> None:
    used, only_reliable = choose_strides((make_stride(), make_stride()), "walking")
    assert used.all()
    assert only_reliable
    assert choose_strides((), "walking")[0].tolist() == []
