"""Lost samples are filled in where the sensor cannot have turned meanwhile, and only there."""

import numpy as np
import pytest

from subtalar.estimation.inclination.sensor_stream import SensorStream, StreamCounts
from subtalar.estimation.parameters import Parameters
from subtalar.types import BodySite, SampleBlock, SensorInfo

RATE_HZ = 100.0
SITE = BodySite.RIGHT_FOOT


def counts(calm_before_s: float, lost_s: float, block: int, turning_after: bool = False) -> StreamCounts:
    """A sensor that turns, rests, loses samples and rests on, or turns."""
    t = np.arange(0.0, 6.0, 1 / RATE_HZ)
    rate = np.where(t < 4.0 - calm_before_s, 3.0, 0.0)
    if turning_after:
        rate[t >= 4.0] = 3.0
    kept = (t < 4.0) | (t >= 4.0 + lost_s)
    gyr = np.column_stack((np.zeros_like(t), np.zeros_like(t), rate))
    acc = np.tile([0.0, 0.0, 9.81], (len(t), 1))
    stream = SensorStream(SensorInfo(SITE, RATE_HZ), Parameters())
    t, acc, gyr = t[kept], acc[kept], gyr[kept]
    for i in range(0, len(t), block):
        part = slice(i, i + block)
        stream.push(SampleBlock(SITE, t[part], t[part] + 0.02, acc[part], gyr[part]))
    stream.finish()
    return stream.counts


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_a_swing_may_hide_between_two_rests_of_the_foot(block: int) -> None:
    found = counts(calm_before_s=0.4, lost_s=0.5, block=block)
    assert (found.gaps, found.bridged) == (1, 0)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_who_stands_goes_on_standing(block: int) -> None:
    found = counts(calm_before_s=2.0, lost_s=0.5, block=block)
    assert (found.gaps, found.bridged) == (0, 50)


def test_who_moves_after_the_gap_may_have_moved_in_it() -> None:
    assert counts(calm_before_s=2.0, lost_s=0.5, block=7, turning_after=True).gaps == 1


def test_a_short_loss_is_always_filled_in() -> None:
    assert counts(calm_before_s=0.0, lost_s=0.08, block=7).bridged == 8


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_a_lost_sample_of_a_curve_is_filled_in_along_the_curve(block: int) -> None:
    """A rate that swings at 3 Hz: between two samples it is no straight line."""
    t = np.arange(0.0, 4.0, 1 / RATE_HZ)
    rate = 5.0 * np.sin(2 * np.pi * 3.0 * t)
    lost = np.arange(205, 390, 10)
    kept = ~np.isin(np.arange(len(t)), lost)
    gyr, acc = np.zeros((len(t), 3)), np.tile([0.0, 0.0, 9.81], (len(t), 1))
    gyr[:, 2] = rate
    stream = SensorStream(SensorInfo(SITE, RATE_HZ), Parameters())
    for i in range(0, int(kept.sum()), block):
        part = np.flatnonzero(kept)[i : i + block]
        stream.push(SampleBlock(SITE, t[part], t[part] + 0.02, acc[part], gyr[part]))
    stream.finish()
    rows = stream.rows.view(stream.rows.first, stream.rows.end)
    filled = rows["real"] < 1
    assert filled.sum() == len(lost)
    off = np.abs(rows["gyr_rad_s"][filled, 2] - rows["gyr_rad_s"][:, 2].mean() - rate[lost] + rate.mean())
    straight = np.abs(0.5 * (rate[lost - 1] + rate[lost + 1]) - rate[lost])
    assert off.mean() < 0.4 * straight.mean()
