"""How each sensor of a leg saw one stride, in its own axes: what a strap that holds keeps the same.

The foot that rests flat has its vertical; the ankle lies in one place of the shank; the mean pose of foot against
shank, and the way travelled, change little from stride to stride. None of it needs to know how the sensors sit.
"""

import numpy as np

from subtalar.estimation.inclination.gravity import GRAVITY_STATE, upright_rows
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.rows.stride_window import at_times_of
from subtalar.types import FloatArray

STRIDE_POSE = np.dtype(
    [
        ("start_s", "f8"),
        ("end_s", "f8"),
        ("log_duration", "f8"),
        ("log_rate", "f8"),
        ("slope_rad", "f8"),
        ("acc_bias_m_s2", "f8", (2, 3)),
        ("foot_up", "f8", (3,)),
        ("foot_ahead", "f8", (3,)),
        ("shank_ahead", "f8", (3,)),
        ("joint", "f8", (4,)),
        ("information", "f8", (7, 7)),
        ("vector", "f8", (7,)),
    ]
)
"""When it was; logarithms of its duration and of the foot's mean rate; how far the way went uphill; what was known of
the biases of both accelerometers. In sensor axes: the vertical where the foot comes to rest, and there the way
travelled of both sensors; foot axes into shank axes, mean of the stride; its equations for the unknowns of
``ankle_acceleration``, zero where there are none."""
_REST_ROWS = 2


@compiled(
    "(row[::1], row[::1], i8, i8, gravity[::1], gravity[::1], f8, f8, f8, f8, pose[::1])",
    row=SENSOR_ROW,
    gravity=GRAVITY_STATE,
    pose=STRIDE_POSE,
)
def write_pose(
    foot: Records,
    shank: Records,
    start: int,
    stop: int,
    foot_gravity: Records,
    shank_gravity: Records,
    offset_s: float,
    heading_rad: float,
    travel_x_m: float,
    travel_y_m: float,
    out: Records,
) -> None:
    """Into ``out`` (1,): all but the equations, of the stride between two rests, foot's rows ``start`` and ``stop``.

    ``heading_rad`` turns the shank's world into the foot's, the way travelled is in that.
    """
    pose = out[0]
    begin_s, end_s = foot[start]["time_s"], foot[stop]["time_s"]
    upright_foot = upright_rows(foot, foot_gravity[0]["mean"][:])
    upright_shank = upright_rows(at_times_of(foot, shank, offset_s), shank_gravity[0]["mean"][:])
    turn = (np.cos(0.5 * heading_rad), 0.0, 0.0, np.sin(0.5 * heading_rad))
    joint = np.zeros(4)
    power, climbed, rising, before = 0.0, 0.0, 0.0, 0.0
    for i in range(start, stop + 1):
        q_foot = quat.quaternion_of(upright_foot[i]["q"])
        q_shank = quat.product(turn, quat.quaternion_of(upright_shank[i]["q"]))
        own = quat.product(quat.inverse(q_shank), q_foot)
        along = own[0] * joint[0] + own[1] * joint[1] + own[2] * joint[2] + own[3] * joint[3]
        for k in range(4):
            joint[k] += -own[k] if along < 0.0 else own[k]
        x, y, z = quat.vector_of(foot[i]["gyr_rad_s"])
        power += x * x + y * y + z * z
    length = np.sqrt(joint[0] ** 2 + joint[1] ** 2 + joint[2] ** 2 + joint[3] ** 2)
    for k in range(4):
        pose["joint"][k] = joint[k] / length
    # Uphill by the foot's vertical velocity, which is zero at both ends.
    left = 0.0
    for turns in range(2):
        rising = before = climbed = 0.0
        for i in range(start, stop + 1):
            _, _, up = quat.turned(
                quat.quaternion_of(upright_foot[i]["q"]), quat.vector_of(upright_foot[i]["acc_m_s2"])
            )
            if i > start:
                step_s = foot[i]["time_s"] - foot[i - 1]["time_s"]
                gained = 0.5 * (up + before - 2.0 * left) * step_s
                climbed += (rising + 0.5 * gained) * step_s
                rising += gained
            before = up
        if turns == 0:
            left = rising / (end_s - begin_s)
    way_m = np.sqrt(travel_x_m * travel_x_m + travel_y_m * travel_y_m)
    pose["slope_rad"] = np.arctan2(climbed, max(way_m, 1e-6))
    for k in range(3):
        pose["acc_bias_m_s2"][0, k] = foot_gravity[0]["mean"][3 + k]
        pose["acc_bias_m_s2"][1, k] = shank_gravity[0]["mean"][3 + k]
    pose["start_s"], pose["end_s"] = begin_s, end_s
    pose["log_duration"] = np.log(max(end_s - begin_s, 1e-6))
    pose["log_rate"] = np.log(max(np.sqrt(power / (3 * (stop - start + 1))), 1e-6))
    ahead = (travel_x_m / max(way_m, 1e-6), travel_y_m / max(way_m, 1e-6), 0.0)
    _mean_in_sensor(upright_foot, stop, (0.0, 0.0, 1.0), pose["foot_up"])
    _mean_in_sensor(upright_foot, stop, ahead, pose["foot_ahead"])
    _mean_in_sensor(upright_shank, stop, quat.turned(quat.inverse(turn), ahead), pose["shank_ahead"])


@inlined
def _mean_in_sensor(rows: Records, middle: int, direction: quat.Vector, out: FloatArray) -> None:
    """A direction of the sensor's world in its axes, mean of some rows."""
    first, last = max(0, middle - _REST_ROWS), min(len(rows) - 1, middle + _REST_ROWS)
    out[:] = 0.0
    for i in range(first, last + 1):
        seen = quat.turned(quat.inverse(quat.quaternion_of(rows[i]["q"])), direction)
        for k in range(3):
            out[k] += seen[k] / (last - first + 1)


def turn_pose(pose: Records, of_foot: bool, to_new: FloatArray) -> None:
    """Make a ``STRIDE_POSE`` (1,) what it is with other axes of one sensor; ``to_new`` (4,) turns the former to it."""
    here = pose[0]
    unknowns = slice(0, 3) if of_foot else slice(3, 6)
    turn = np.eye(7)
    turn[unknowns, unknowns] = quat.matrix(to_new)
    here["information"], here["vector"] = turn @ here["information"] @ turn.T, turn @ here["vector"]
    if of_foot:
        here["foot_up"], here["foot_ahead"] = (quat.rotate(to_new, here[name]) for name in ("foot_up", "foot_ahead"))
        here["joint"] = quat.multiply(np.asarray(here["joint"]), quat.conjugate(to_new))
    else:
        here["shank_ahead"] = quat.rotate(to_new, here["shank_ahead"])
        here["joint"] = quat.multiply(to_new, np.asarray(here["joint"]))
