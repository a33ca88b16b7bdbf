"""Live is replay: the output depends on the samples alone, not on how they were cut and interleaved."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subtalar.estimation.parameters import FootFlatParameters
from subtalar.estimation.rows.motion import SegmentSamples
from subtalar.estimation.stance.foot_flat import FootFlat, FootFlatDetector
from subtalar.types import BodySite, SampleBlock, SensorInfo

FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK
FARTHEST_AHEAD_S = 5.0
"""How far one sensor may be pushed ahead of the other here: the blocks of an analysis are this long."""


def dealt(lab: SimpleNamespace, walk: Any, sizes: dict[BodySite, list[int]], turns: list[bool]) -> list[SampleBlock]:
    """Each sensor cut into blocks of its sizes (over and over), dealt in the order of ``turns`` (over and over)."""
    at = dict.fromkeys(walk.samples, 0)
    dealt_blocks = dict.fromkeys(walk.samples, 0)
    out = []

    def next_s(site: BodySite) -> float:
        times = walk.samples[site].host_time_s
        return float(times[at[site]]) if at[site] < len(times) else np.inf

    turn = 0
    while any(np.isfinite(next_s(s)) for s in at):
        site = FOOT if turns[turn % len(turns)] else SHANK
        other = SHANK if site is FOOT else FOOT
        turn += 1
        if not np.isfinite(next_s(site)) or next_s(site) > next_s(other) + FARTHEST_AHEAD_S:
            site = other
        size = sizes[site][dealt_blocks[site] % len(sizes[site])]
        out.append(lab.part(walk.samples[site], slice(at[site], at[site] + size)))
        at[site] += size
        dealt_blocks[site] += 1
    return out


sizes = st.lists(st.integers(1, 400), min_size=2, max_size=12)
turns_of_both = st.lists(st.booleans(), min_size=2, max_size=12).filter(lambda turns: len(set(turns)) == 2)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    foot=sizes, shank=sizes, turns=st.lists(st.booleans(), min_size=2, max_size=12).filter(lambda t: len(set(t)) > 1)
)
def test_any_cut_gives_the_same_bits(
    lab: SimpleNamespace, short_walk: Any, short_result: Any, foot: list[int], shank: list[int], turns: list[bool]
) -> None:
    assert len(short_result.strides) > 10  # there is something to compare
    assert np.isfinite(short_result.rows("right").ankle_deg).any()
    blocks = dealt(lab, short_walk, {FOOT: foot, SHANK: shank}, turns)
    assert sum(len(b) for b in blocks) == sum(len(b) for b in short_walk.samples.values())
    lab.assert_same(lab.estimate(short_walk, blocks), short_result)


def test_sample_by_sample(lab: SimpleNamespace, short_walk: Any, short_result: Any) -> None:
    tracks = [[lab.part(b, slice(i, i + 1)) for i in range(len(b))] for b in short_walk.samples.values()]
    singles = sorted((b for track in tracks for b in track), key=lambda b: float(b.host_time_s[0]))
    lab.assert_same(lab.estimate(short_walk, singles), short_result)


def test_all_of_the_foot_first(lab: SimpleNamespace, short_walk: Any, short_result: Any) -> None:
    blocks = [short_walk.samples[FOOT], short_walk.samples[SHANK]]
    lab.assert_same(lab.estimate(short_walk, blocks), short_result)


def test_all_of_the_shank_first(lab: SimpleNamespace, short_walk: Any, short_result: Any) -> None:
    blocks = [short_walk.samples[SHANK], short_walk.samples[FOOT]]
    lab.assert_same(lab.estimate(short_walk, blocks), short_result)


def test_empty_blocks_change_nothing(lab: SimpleNamespace, short_walk: Any, short_result: Any) -> None:
    blocks = [b for block in lab.in_order(short_walk, 2.0) for b in (lab.part(block, slice(0, 0)), block)]
    lab.assert_same(lab.estimate(short_walk, blocks), short_result)


def test_telling_the_time_changes_nothing(lab: SimpleNamespace, short_walk: Any, short_result: Any) -> None:
    """As the live session does: notification by notification, and the time in between (0.1 s late there)."""
    blocks = lab.in_order(short_walk, 0.02)
    lab.assert_same(lab.estimate(short_walk, blocks, advance_lag_s=0.1), short_result)


def still_pair(lab: SimpleNamespace, foot_host_s: Any, shank_host_s: Any, seconds: float) -> Any:
    """Two sensors on one clock at 100 Hz that lie about; the first rows are all that matters."""
    rng = np.random.default_rng(1)
    n = round(100 * seconds)
    t = np.arange(n) / 100.0
    blocks = {
        site: SampleBlock(site, t, host(t), np.tile([0.0, 0.0, 9.81], (n, 1)), rng.normal(0.0, 0.3, (n, 3)))
        for site, host in ((FOOT, foot_host_s), (SHANK, shank_host_s))
    }
    return lab.Walk({site: SensorInfo(site, 100.0) for site in blocks}, blocks)


def test_a_late_notification_in_the_first_second_changes_nothing(lab: SimpleNamespace) -> None:
    """The second that a clock holds back at its start is not a second without samples."""
    walk = still_pair(lab, lambda t: t + 0.02, lambda t: np.where((t >= 0.9) & (t < 1.3), 1.32, t + 0.02), seconds=5.0)
    told = lab.estimate(walk, lab.in_order(walk, 0.02), advance_lag_s=0.1)
    lab.assert_same(told, lab.estimate(walk))


def test_losses_and_a_restart_are_the_same_however_cut(lab: SimpleNamespace, short_walk: Any) -> None:
    foot, shank = short_walk.samples[FOOT], lab.lose(short_walk.samples[SHANK], 16.0, 16.5)
    foot = lab.lose(lab.lose(foot, 20.0, 20.05), 22.0, 22.4)
    device = np.where(foot.host_time_s < 24.0, foot.device_time_s, foot.device_time_s - foot.device_time_s[0])
    restarted = SampleBlock(FOOT, device, foot.host_time_s, foot.acc_m_s2, foot.gyr_rad_s)
    walk = short_walk.with_samples(restarted, shank)
    reference = lab.estimate(walk)
    assert len(set(reference.rows("right").quality.tolist())) >= 4  # the losses show
    for block_s in (0.07, 4.0):
        lab.assert_same(lab.estimate(walk, lab.in_order(walk, block_s)), reference)


def test_equal_clocks_and_a_gap_are_the_same_however_cut(lab: SimpleNamespace) -> None:
    """Sensors on one clock (Xsens exports) sample at the very same instants."""
    walk = still_pair(lab, lambda t: t, lambda t: t, seconds=15.0)
    walk = walk.with_samples(lab.lose(walk.samples[SHANK], 10.0, 10.5))
    reference = lab.estimate(walk, lab.in_order(walk, 1.5))
    for block_s in (0.01, 0.1, 0.5, 2.5):
        lab.assert_same(lab.estimate(walk, lab.in_order(walk, block_s)), reference)


def flats(block: SampleBlock, size: int) -> list[FootFlat]:
    detector = FootFlatDetector(FootFlatParameters(), 50.0)
    n = len(block)
    rows = SegmentSamples.of(np.zeros(n), np.zeros((n, 4)), block.gyr_rad_s, block.acc_m_s2, np.zeros((n, 4))).rows
    out = []
    for i in range(0, len(block), size):
        detector.push(rows[i : i + size])
        while (flat := detector.next_before(i + size)) is not None:
            out.append(flat)
    return out


def test_rests_are_found_at_the_same_rows_however_cut(short_walk: Any) -> None:
    foot = short_walk.samples[FOOT]
    whole = flats(foot, len(foot))
    assert len(whole) > 10
    for size in (1, 37, 700):
        assert [(f.first, f.last, f.detected) for f in flats(foot, size)] == [
            (f.first, f.last, f.detected) for f in whole
        ]


def test_rests_begin_at_the_same_rows_however_cut(short_walk: Any) -> None:
    foot = short_walk.samples[FOOT]
    assert flats(foot, 1) == flats(foot, len(foot))
