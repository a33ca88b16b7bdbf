"""One loop over the rows of a leg, up to the next decision: all that is computed for a row, each idea in its module."""

from subtalar.estimation.angles.leg_model import AVAILABLE, LEG_MODEL, WITHHELD
from subtalar.estimation.angles.row_angles import angles_at, no_angles_at
from subtalar.estimation.gait.stride_log import note
from subtalar.estimation.gait.stride_measures import STRIDE_ROW
from subtalar.estimation.joint.heading_trend import trend_of
from subtalar.estimation.numerics.compiled import compiled
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.rows.leg_rows import LEG_ROW, align, shank_after
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.stance.foot_flat import ENDED, FOOT_FLAT, LASTS, NOTHING, REST_POWER, rest_at, unrest_at
from subtalar.estimation.stance.standing import STILLNESS, mark_still
from subtalar.types import FloatArray, Quality

DONE, GAP_EDGE, REST_LASTS, REST_ENDED, REST_GOES_ON = 0, 1, 2, 3, 4
"""Why the loop ended: no further row is decided; a gap begins or ends at the next row; the last row shows that a rest
lasts, that it has ended, or that it goes on."""
_NOT_CALIBRATED, _NO_DATA = float(Quality.NOT_CALIBRATED), float(Quality.NO_DATA)


@compiled(
    "(row[::1], row[::1], i8, f8, f8, f8, f8, f8, b1, flat[::1], still[::1], still[::1], model[::1],"
    " leg[::1], power[::1], f8[:,::1], stride[::1])",
    row=SENSOR_ROW,
    flat=FOOT_FLAT,
    still=STILLNESS,
    model=LEG_MODEL,
    leg=LEG_ROW,
    power=REST_POWER,
    stride=STRIDE_ROW,
)
def run_rows(
    foot: Records,
    shank: Records,
    first: int,
    offset_s: float,
    longest_bridge_s: float,
    patience_s: float,
    shank_end_s: float,
    overdue_s: float,
    in_gap: bool,
    foot_flat: Records,
    still_foot: Records,
    still_shank: Records,
    model: Records,
    out: Records,
    powers: Records,
    angles: FloatArray,
    log: Records,
) -> tuple[int, int, int]:
    """How many rows were done, how many of them were measured and not bridged, and why no more.

    ``foot`` (n,) are the foot's next rows, ``first`` the stream index of the first; ``shank`` all that are held. Its
    clock shows ``offset_s`` more; it ends at ``shank_end_s``, is waited for by ``patience_s``, and nothing that arrived
    before ``overdue_s`` is still to come. ``in_gap``: the row before lay in a gap.
    Written: rows ``out`` (n,), ``powers`` (n,), ``angles`` (n, row_angles.TABLE_WIDTH), ``log`` (n,); and the memories
    of the three filters.
    """
    applied, flat = model[0], foot_flat[0]
    trend = trend_of(applied["heading"], applied["heading_rule"])
    measured = after = 0
    for i in range(len(foot)):
        sample, row = foot[i], out[i]
        # Decided: the shank has a sample at or after the row's instant, or none arrived within the patience.
        if sample["time_s"] + offset_s > shank_end_s and not sample["arrival_s"] < overdue_s:
            return i, measured, DONE
        after = shank_after(foot, i, shank, offset_s, after)
        gap = align(sample, shank, after, offset_s, longest_bridge_s, patience_s, row)
        if gap != in_gap:
            return i, measured, GAP_EDGE
        mark_still(row, still_foot[0], still_shank[0], gap)
        if gap:
            no_angles_at(row, _NO_DATA, angles, i)
        elif applied["availability"] == AVAILABLE:
            angles_at(row, applied, trend, angles, i)
        else:
            no_angles_at(row, _NO_DATA if applied["availability"] == WITHHELD else _NOT_CALIBRATED, angles, i)
        note(row, angles, i, log[i])
        measured += row["real"] > 0
        unrest_at(sample, flat, powers[i])
        rest = rest_at(powers[i]["smooth"], first + i, flat)
        if rest != NOTHING:
            return i + 1, measured, REST_LASTS if rest == LASTS else REST_ENDED if rest == ENDED else REST_GOES_ON
    return len(foot), measured, DONE
