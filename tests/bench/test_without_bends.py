"""A recording with the knee bends cut out must be one that a person could have made."""

from pathlib import Path

import numpy as np
import pytest

from subtalar.session.interleave import join
from subtalar.types import BodySite, SampleBlock
from subtalar_bench.accuracy.truth_trial import read_trial
from subtalar_bench.accuracy.without_bends import blocks_without_bends, cut_s, without

PERIOD = 0.01
N = 4000


def block(drift: float, late_s: float) -> SampleBlock:
    """Batches of five samples; the clock of the sensor began at 700 s."""
    rng = np.random.default_rng(1)
    true_s = PERIOD * np.arange(N)
    arrival = np.maximum.accumulate(np.repeat(true_s[4::5] + late_s + rng.uniform(0, 0.03, N // 5), 5))
    values = rng.normal(size=(N, 3))
    return SampleBlock(BodySite.RIGHT_FOOT, 700.0 + true_s * (1 + drift), arrival, values, values + 1.0)


@pytest.mark.parametrize("late_s", [0.008, 0.033])
def test_the_seam_is_one_sample_wide(late_s: float) -> None:
    whole = block(50e-6, late_s)
    shorter = without(whole, 12.0, 20.003)
    assert shorter.device_time_s is not None
    assert shorter.host_time_s is not None
    step = np.diff(shorter.device_time_s)
    assert step.min() > 0.49 * PERIOD
    assert step.max() < 1.51 * PERIOD
    assert len(whole) - len(shorter) == pytest.approx(8.003 / PERIOD, abs=1)
    assert (np.diff(shorter.host_time_s) >= 0).all()


def test_samples_stay_what_they_were_and_later_ones_move_together() -> None:
    whole = block(-50e-6, 0.02)
    shorter = without(whole, 12.0, 20.0)
    before = int(np.argmax(np.any(shorter.acc_m_s2 != whole.acc_m_s2[: len(shorter)], axis=1)))
    after = before + len(whole) - len(shorter)
    np.testing.assert_array_equal(shorter.acc_m_s2[before:], whole.acc_m_s2[after:])
    np.testing.assert_array_equal(shorter.gyr_rad_s[before:], whole.gyr_rad_s[after:])
    for cut, full in ((shorter.device_time_s, whole.device_time_s), (shorter.host_time_s, whole.host_time_s)):
        assert cut is not None
        assert full is not None
        np.testing.assert_array_equal(cut[:before], full[:before])
        np.testing.assert_allclose(cut[before + 10 :], full[after + 10 :] - 8.0, atol=1e-9)


def test_a_trial_loses_its_bends_only(trial_folder: Path) -> None:
    trial = read_trial(trial_folder)
    start_s, end_s = cut_s(trial)
    for site, info in trial.session.sensors.items():
        whole = join([b for b in trial.blocks() if b.site == site])
        shorter = join([b for b in blocks_without_bends(trial) if b.site == site])
        assert (len(whole) - len(shorter)) / info.rate_hz == pytest.approx(end_s - start_s, abs=0.05)
        np.testing.assert_array_equal(shorter.acc_m_s2[-500:], whole.acc_m_s2[-500:])
