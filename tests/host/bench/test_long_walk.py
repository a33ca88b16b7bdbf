"""A short session made long has no seams."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from subtalar.bench import estimator_cost
from subtalar.bench.long_walk import prolonged
from subtalar.estimation import GaitEstimator
from subtalar.session import open_session
from subtalar.session.interleave import join
from subtalar.types import BodySite, SampleBlock

LONG_S = 100.0
FOOT = BodySite.RIGHT_FOOT


@pytest.fixture(scope="module")
def lap_s(trial_folder: Path) -> tuple[float, float]:
    return estimator_cost.lap(open_session(trial_folder))[0]


@pytest.fixture(scope="module")
def blocks(trial_folder: Path, lap_s: tuple[float, float]) -> list[SampleBlock]:
    return list(prolonged(open_session(trial_folder), lap_s, LONG_S))


def whole(blocks: Iterator[SampleBlock] | list[SampleBlock], site: BodySite = FOOT) -> SampleBlock:
    return join([b for b in blocks if b.site == site])


def test_the_clocks_run_on_evenly(blocks: list[SampleBlock]) -> None:
    for site in (FOOT, BodySite.RIGHT_SHANK):
        long = whole(blocks, site)
        assert long.device_time_s is not None
        assert long.host_time_s is not None
        assert abs(len(long) / 100.0 - LONG_S) < 0.1
        np.testing.assert_allclose(np.diff(long.device_time_s), 0.01, atol=5e-6)
        assert (np.diff(long.host_time_s) >= 0).all()
        assert np.ptp(long.host_time_s - long.device_time_s) < 0.1


def test_it_begins_as_the_short_one_and_goes_on_with_thelap(
    blocks: list[SampleBlock], trial_folder: Path, lap_s: tuple[float, float]
) -> None:
    short, long = whole(open_session(trial_folder).blocks()), whole(blocks)
    same = int(100 * lap_s[1]) - 10
    np.testing.assert_array_equal(long.gyr_rad_s[:same], short.gyr_rad_s[:same])
    np.testing.assert_array_equal(long.host_time_s[:same], short.host_time_s[:same])
    of_lap = {row.tobytes() for row in short.gyr_rad_s[int(100 * lap_s[0]) - 5 : int(100 * lap_s[1]) + 5]}
    assert all(row.tobytes() in of_lap for row in long.gyr_rad_s[same:])
    # Row by row the same as a lap before, but for the rounding to whole rows.
    lap = round(100 * (lap_s[1] - lap_s[0]))
    apart = np.abs(long.gyr_rad_s[same + 20 :] - long.gyr_rad_s[same + 20 - lap : -lap])
    assert np.median(apart) < 0.05
    assert (apart.max(axis=1) == 0.0).mean() > 0.3


def test_the_estimator_sees_no_seam(blocks: list[SampleBlock], trial_folder: Path) -> None:
    gait = GaitEstimator(open_session(trial_folder).sensors)
    found = [gait.push(b) for b in blocks]
    found.append(gait.finish())
    for counts in gait.counts.values():
        assert (counts.bridged, counts.gaps, counts.repeated, counts.unusable, counts.clock_restarts) == (0,) * 5
    contacts_s = np.array([s.initial_contact_s for f in found for s in f.strides])
    assert contacts_s[-1] > LONG_S - 3.0
    assert np.ptp(np.diff(contacts_s)) < 0.25
    standing = [n for f in found for n in f.notices if n.code == "standing_found"]
    assert len(standing) == 1
