"""Where a channel touches its range: declared, or shown by the data.

A signal that moves comes to its highest value once, and stays there for no three samples. One that has done so twice
has reached the end of its scale.
"""

import numpy as np

from subtalar.estimation.numerics.compiled import inlined
from subtalar.estimation.numerics.records import Record, Records, record
from subtalar.types import FloatArray, SensorInfo

ACC, GYR = 0, 1
SATURATION = np.dtype(
    [
        ("limit", "f8", (2,)),
        ("least", "f8", (2,)),
        ("most", "f8", (2, 3, 2)),
        ("run", "i8", (2, 3, 2)),
        ("times", "i8", (2, 3, 2)),
        ("found_s", "f8", (2,)),
        ("range", "f8", (2,)),
    ]
)
"""Of accelerometer and gyroscope: from which magnitude on it is clipped, below which no range ends; then of each axis
and sign the highest value, how many samples it has lasted, and how often it lasted for three; when a range was found
that nobody had declared (session time, infinity before), and which."""
_CLIP_SHARE = 0.998
_LASTS = 3
_OFTEN = 2
_LEAST_M_S2 = 14.0
_LEAST_RAD_S = 2.0
"""At rest an accelerometer shows gravity for minutes, and a gyroscope nothing."""


def new_saturation(info: SensorInfo) -> Records:
    """For a sensor whose ranges are known or not."""
    declared = info.acc_range_m_s2, info.gyr_range_rad_s
    limits = [np.inf if r is None else _CLIP_SHARE * r for r in declared]
    return record(SATURATION, limit=limits, least=[_LEAST_M_S2, _LEAST_RAD_S], found_s=np.inf)


@inlined
def touches(values: FloatArray, channel: int, time_s: float, saturation: Record) -> bool:
    """Whether one of the three components of a measured row touches the range of its channel."""
    limit, least = saturation["limit"], saturation["least"]
    # Nearly every row is far from any range's end.
    lowest = min(limit[channel], least[channel])
    if abs(values[0]) < lowest and abs(values[1]) < lowest and abs(values[2]) < lowest:
        return False
    most, run, times = saturation["most"], saturation["run"], saturation["times"]
    at_limit = False
    for k in range(3):
        for side in range(2):
            value = values[k] if side == 0 else -values[k]
            if value < least[channel]:
                continue
            if value > most[channel, k, side]:
                most[channel, k, side], run[channel, k, side], times[channel, k, side] = value, 1, 0
            elif value == most[channel, k, side]:
                run[channel, k, side] += 1
                if run[channel, k, side] == _LASTS:
                    times[channel, k, side] += 1
                    if times[channel, k, side] >= _OFTEN and value < limit[channel]:
                        if saturation["found_s"][channel] == np.inf:
                            saturation["found_s"][channel] = time_s
                        limit[channel] = _CLIP_SHARE * value
                        saturation["range"][channel] = value
            else:
                run[channel, k, side] = 0
        if abs(values[k]) >= limit[channel]:
            at_limit = True
    return at_limit
