"""One loop over the rows of a leg, up to the next decision: all that is told of a row, each idea in its module."""

from subtalar.estimation.angles.row_angles import angles_at, no_angles_at
from subtalar.estimation.gait.stride_log import note_at
from subtalar.estimation.joint.heading import trend_of
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.rows import leg_rows as col
from subtalar.estimation.rows import sensor_rows as stream
from subtalar.estimation.rows.motion import TIME
from subtalar.estimation.stance.foot_flat import NOTHING, rest_at, unrest_at
from subtalar.estimation.stance.standing import mark_still_at
from subtalar.types import FloatArray, Quality

_TIME, _ARRIVAL = TIME, stream.ARRIVAL
UNKNOWN, WITHHELD, KNOWN = 0, 1, 2
"""What can be told of angles: nothing before calibration, nothing yet after a gap, all."""
DONE, GAP_EDGE, TOLD = 0, 1, 8
"""Why the loop ended: no further row is decided; a gap begins or ends at the next row; the last row is one at which
``rest_at`` told something, which is added to ``TOLD``."""
_NOT_CALIBRATED, _NO_DATA = float(Quality.NOT_CALIBRATED), float(Quality.NO_DATA)


@compiled(
    "(f8[:,::1], f8[:,::1], f8[::1], i8, f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], i8, f8[::1], f8[::1], f8[::1],"
    " f8[::1], f8[::1], f8[::1], f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1],"
    " f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1])"
)
def run_rows(
    foot: FloatArray,
    shank: FloatArray,
    timing: FloatArray,
    first: int,
    flat_state: FloatArray,
    flat_rule: FloatArray,
    still_foot: FloatArray,
    still_shank: FloatArray,
    still_rule: FloatArray,
    told: int,
    foot_x: FloatArray,
    foot_at: FloatArray,
    shank_x: FloatArray,
    shank_at: FloatArray,
    fading: FloatArray,
    heading_x: FloatArray,
    heading_cov: FloatArray,
    heading_at: FloatArray,
    heading_rule: FloatArray,
    poses: FloatArray,
    side: FloatArray,
    doubt: FloatArray,
    out: FloatArray,
    powers: FloatArray,
    angles: FloatArray,
    log: FloatArray,
) -> tuple[int, int, int]:
    """How many rows were done, how many of them were measured and not bridged, and why no more.

    ``foot`` (n, stream.WIDTH) are the foot's next rows, ``first`` the stream index of the first; ``shank`` all rows
    that are held. ``timing`` (6,): clock offset, the longest bridge, the patience for the partner, the end of the
    shank's rows, the arrival before which nothing is awaited any more, whether the row before lay in a gap. States and
    rules are those of ``FootFlatDetector``, ``StillnessDetector`` and ``AppliedKnowledge``. Written: rows ``out`` (n,
    leg_rows.WIDTH), ``powers`` (n, 2), ``angles`` (n, row_angles.TABLE_WIDTH), ``log``.
    """
    offset_s, longest_bridge_s, patience_s = timing[0], timing[1], timing[2]
    shank_end_s, overdue_s, in_gap = timing[3], timing[4], timing[5] > 0
    measured = after = 0
    trend = trend_of(heading_x, heading_cov, heading_at, heading_rule)
    for i in range(len(foot)):
        # Decided: the shank has a sample at or after the row's instant, or none arrived within the patience.
        if foot[i, _TIME] + offset_s > shank_end_s and not foot[i, _ARRIVAL] < overdue_s:
            return i, measured, DONE
        after = col.shank_after(foot, i, shank, offset_s, after)
        gap = col.align_at(foot, i, shank, after, offset_s, longest_bridge_s, patience_s, out)
        if gap != in_gap:
            return i, measured, GAP_EDGE
        mark_still_at(out, i, still_foot, still_shank, still_rule, gap)
        if gap:
            no_angles_at(out, i, _NO_DATA, angles)
        elif told == KNOWN:
            angles_at(out, i, foot_x, foot_at, shank_x, shank_at, fading, trend, poses, side, doubt, angles)
        else:
            no_angles_at(out, i, _NO_DATA if told == WITHHELD else _NOT_CALIBRATED, angles)
        note_at(out, i, angles, log)
        measured += out[i, col.REAL] > 0
        powers[i, 0], powers[i, 1] = unrest_at(foot, i, flat_state, flat_rule)
        rested = rest_at(powers[i, 1], first + i, flat_state, flat_rule)
        if rested != NOTHING:
            return i + 1, measured, TOLD + rested
    return len(foot), measured, DONE
