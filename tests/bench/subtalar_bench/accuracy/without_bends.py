"""The same recording as if the person had not bent the knees: stood, and walked off."""

from collections.abc import Iterator

import numpy as np

from subtalar.session.interleave import SensorTrack, by_site, interleave
from subtalar.types import SampleBlock
from subtalar_bench.accuracy.truth_trial import TruthTrial

_STAY_S = 0.2
"""The cut begins so long after the annotated end of standing and ends so long after the knee bends' end; in all truth
trials the person stands still in the zero posture at both moments."""


def cut_s(trial: TruthTrial) -> tuple[float, float]:
    """Session times between which the knee bends are cut out."""
    return trial.span("standing").end_s + _STAY_S, trial.span("knee_bends").end_s + _STAY_S


def blocks_without_bends(trial: TruthTrial) -> Iterator[SampleBlock]:
    """Samples of every sensor with the knee bends gone and all later times moved forward by the length of the cut.

    Moved, because a hole of eight seconds would be a fault of the link, which is another trial. Every sensor's two
    clocks are moved by the same amount, so that nothing else changes: not the arrival delays, not the clocks among each
    other; the step across the seam is within half a sample of the usual one.
    """
    start_s, end_s = cut_s(trial)
    tracks = []
    for block in by_site(trial.blocks()).values():
        shorter = without(block, start_s, end_s)
        arrival = shorter.host_time_s
        assert arrival is not None
        tracks.append(SensorTrack(shorter, arrival))
    return interleave(tracks, 5.0)


def without(block: SampleBlock, start_s: float, end_s: float) -> SampleBlock:
    """All samples of one sensor but those between two host times, later ones moved forward in time."""
    host, length = block.host_time_s, end_s - start_s
    if host is None:
        raise ValueError("cutting needs arrival times")
    clock = host if block.device_time_s is None else block.device_time_s
    before = int(np.searchsorted(host, start_s))
    period = float(np.median(np.diff(clock)))
    # By the clock of the sensor, since many samples share an arrival.
    after = int(np.argmin(np.abs(clock - (clock[before - 1] + length + period))))
    keep = np.concatenate((np.arange(before), np.arange(after, len(block))))
    earlier = np.where(np.arange(len(block)) < before, 0.0, length)
    device = None if block.device_time_s is None else (block.device_time_s - earlier)[keep]
    arrival = np.maximum.accumulate((host - earlier)[keep])
    return SampleBlock(block.site, device, arrival, block.acc_m_s2[keep], block.gyr_rad_s[keep])
