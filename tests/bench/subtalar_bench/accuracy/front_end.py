"""One sensor through the estimator's own front end, and from rest to rest of a foot: nothing here is computed twice."""

import numpy as np

from subtalar.estimation.inclination.sensor_stream import SensorStream
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.stance.foot_flat import FootFlat, FootFlatDetector
from subtalar.types import BodySite, FloatArray, SampleBlock, SensorInfo


def rows_of(site: BodySite, time_s: FloatArray, acc_m_s2: FloatArray, gyr_rad_s: FloatArray) -> Records:
    """Rows (n,) of a whole recording: time as given, orientation, angular rate, specific force."""
    info = SensorInfo(site, 1.0 / float(np.median(np.diff(time_s))))
    sensor = SensorStream(info, Parameters())
    rows: list[Records] = []
    # In parts, since a stream keeps what it delivered until told to forget.
    for start in range(0, len(time_s), 8192):
        part = slice(start, start + 8192)
        sensor.push(SampleBlock(site, time_s[part], None, acc_m_s2[part], gyr_rad_s[part]))
        rows.append(_taken(sensor))
    sensor.finish()
    rows.append(_taken(sensor))
    whole = np.concatenate(rows)
    whole["time_s"] += time_s[0]
    return whole


def _taken(sensor: SensorStream) -> Records:
    rows = sensor.rows.view(sensor.rows.first, sensor.rows.end).copy()
    sensor.rows.forget_before(sensor.rows.end)
    return rows


def rests(rows: Records) -> list[FootFlat]:
    """Every rest of the foot whose rows these are, in order; of the last, which need not have ended, the beginning."""
    rate_hz = 1.0 / float(np.median(np.diff(rows["time_s"])))
    detector = FootFlatDetector(Parameters().foot_flat, rate_hz)
    detector.push(rows)
    found: dict[int, FootFlat] = {}
    while (flat := detector.next_before(len(rows))) is not None:
        # One that lasts is told twice, and better when it has ended.
        found[flat.begin] = flat
    return list(found.values())
