"""Strides cut out of the stream of angles."""

from dataclasses import replace

import numpy as np
import pytest

from subtalar.report.waveforms import WaveformCollector, Waveforms
from subtalar.types import AngleBlock, Stride

from .conftest import NAN, curve_deg, make_angles, make_stride

PHASE = np.linspace(0, 1, 101)


def collected(pushes: list[tuple[tuple[AngleBlock, ...], tuple[Stride, ...]]]) -> Waveforms:
    collector = WaveformCollector("left")
    for blocks, strides in pushes:
        collector.push(blocks, strides)
    return collector.finish()


def masked(block: AngleBlock, start_s: float, end_s: float) -> AngleBlock:
    hole = (block.time_s >= start_s) & (block.time_s < end_s)
    return replace(block, angles_deg=np.where(hole[:, None], NAN, block.angles_deg))


def test_a_known_curve_comes_back() -> None:
    strides = tuple(make_stride("left", float(k)) for k in range(2, 8))
    found = collected([((make_angles("left"), make_angles("right")), (*strides, make_stride("right", 3.0)))])
    assert found.angles_deg.shape == (6, 101, 3)
    assert found.stride.tolist() == [0, 1, 2, 3, 4, 5]
    expected = np.broadcast_to(curve_deg(PHASE % 1.0, "left"), (6, 101, 3))
    np.testing.assert_allclose(found.angles_deg, expected, atol=0.02)
    np.testing.assert_allclose(found.sd_deg, 0.7)


def test_contacts_between_samples_are_met_exactly() -> None:
    found = collected([((make_angles("left"),), (make_stride("left", 2.1234, stride_time_s=0.9),))])
    expected = curve_deg((2.1234 + 0.9 * PHASE) % 1.0, "left")
    inside = slice(1, 97)  # the curve itself has a corner at the full second
    np.testing.assert_allclose(found.angles_deg[0, inside], expected[inside], atol=0.03)


def test_strides_may_be_told_before_or_after_their_angles() -> None:
    early, late = make_stride("left", 8.0), make_stride("left", 2.0)
    parts = [make_angles("left", k, k + 1) for k in range(20)]
    pushes = [((part,), ()) for part in parts]
    pushes[6] = (pushes[6][0], (early,))
    pushes[12] = (pushes[12][0], (late,))
    found = collected(pushes)
    assert found.stride.tolist() == [0, 1]
    np.testing.assert_allclose(found.angles_deg[0], found.angles_deg[1], atol=1e-9)


@pytest.mark.parametrize("size", [7, 200, 4000])
def test_the_cut_into_blocks_changes_nothing(size: int) -> None:
    whole = make_angles("left")
    strides = tuple(make_stride("left", k + 0.3) for k in range(1, 18))
    names = ("time_s", "angles_deg", "angles_sd_deg", "quality", "shank_orientation")
    pushes: list[tuple[tuple[AngleBlock, ...], tuple[Stride, ...]]] = [
        ((replace(whole, **{name: getattr(whole, name)[i : i + size] for name in names}),), ())
        for i in range(0, len(whole), size)
    ]
    found = collected([*pushes, ((), strides)])
    np.testing.assert_array_equal(found.angles_deg, collected([((whole,), strides)]).angles_deg)


def test_a_short_gap_is_drawn_across_a_long_one_is_not() -> None:
    strides = (make_stride("left", 2.0), make_stride("left", 4.0))
    block = masked(masked(make_angles("left"), 2.4, 2.5), 4.4, 4.6)
    found = collected([((block,), strides)])
    assert found.stride.tolist() == [0]


@pytest.mark.parametrize(
    "stride",
    [
        make_stride("left", 19.5),
        make_stride("left", -0.5),
        make_stride("left", NAN),
        make_stride("left", 3.0, stride_time_s=NAN),
        make_stride("left", 3.0, stride_time_s=0.0),
    ],
)
def test_a_stride_without_its_angles_has_no_curve(stride: Stride) -> None:
    found = collected([((make_angles("left"),), (stride,))])
    assert found.angles_deg.shape == (0, 101, 3)


def test_no_angles_at_all() -> None:
    assert len(collected([((), (make_stride(),))]).stride) == 0
    assert len(collected([((make_angles("left", known=False),), (make_stride(),))]).stride) == 0


def test_memory_does_not_grow_with_the_session() -> None:
    collector = WaveformCollector("left")
    for minute in range(10):
        collector.push((make_angles("left", 60 * minute, 60 * minute + 60, rate_hz=50),), ())
        assert len(collector._time_s) <= 31 * 50
    # Too old to be cut now: it gets no curve rather than a wrong one.
    collector.push((), (make_stride("left", 5.0),))
    assert len(collector.finish().stride) == 0
