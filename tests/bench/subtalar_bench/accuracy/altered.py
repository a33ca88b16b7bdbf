"""Truth trials as if the person or a strap had not done as told: cut short, stood less, slipped."""

from collections.abc import Callable, Iterator

import numpy as np

from subtalar.session.interleave import SensorTrack, by_site, interleave
from subtalar.types import BodySite, FloatArray, SampleBlock
from subtalar_bench.accuracy.truth_trial import TruthTrial

_BLOCK_S = 5.0


def altered(trial: TruthTrial, change: Callable[[SampleBlock], SampleBlock]) -> Iterator[SampleBlock]:
    """The trial's samples with every sensor's own changed."""
    tracks = []
    for block in by_site(trial.blocks()).values():
        changed = change(block)
        arrival = changed.host_time_s
        assert arrival is not None
        tracks.append(SensorTrack(changed, arrival))
    return interleave(tracks, _BLOCK_S)


def between(trial: TruthTrial, start_s: float, end_s: float) -> Iterator[SampleBlock]:
    """Only what arrived between two instants."""

    def cut(block: SampleBlock) -> SampleBlock:
        assert block.host_time_s is not None
        kept = (block.host_time_s >= start_s) & (block.host_time_s < end_s)
        device = None if block.device_time_s is None else block.device_time_s[kept]
        return SampleBlock(block.site, device, block.host_time_s[kept], block.acc_m_s2[kept], block.gyr_rad_s[kept])

    return altered(trial, cut)


def slipped(
    trial: TruthTrial, site: BodySite, axis: FloatArray, angle_deg: float, at_s: float, lasts_s: float
) -> Iterator[SampleBlock]:
    """One sensor turns about an axis (3,) of its own, from an instant on and for so long; its gyroscope sees it."""

    def turned(block: SampleBlock) -> SampleBlock:
        if block.site != site:
            return block
        assert block.host_time_s is not None
        clock = block.host_time_s if block.device_time_s is None else block.device_time_s
        t = clock - clock[np.searchsorted(block.host_time_s, at_s)]
        angle = np.radians(angle_deg) * np.clip(t / lasts_s, 0.0, 1.0)
        cross = np.cross(np.eye(3), axis)
        turn = np.eye(3) + np.sin(angle)[:, None, None] * cross + (1 - np.cos(angle))[:, None, None] * (cross @ cross)
        acc, gyr = (np.einsum("nji,nj->ni", turn, values) for values in (block.acc_m_s2, block.gyr_rad_s))
        gyr = gyr + np.gradient(angle, clock)[:, None] * axis
        return SampleBlock(block.site, block.device_time_s, block.host_time_s, acc, gyr)

    return altered(trial, turned)
