"""A strap that slips or creeps in mid-walk, and a gait that changes: which of them explains what the strides show?

The gyroscope sees the slip as a turn like any other, so orientation and heading go on without a jump; only the
placement no longer holds. Witnesses, each with what it may do without a slip, are small turns about the leg's axes:

- the foot's vertical where it rests flat, its slope taken out (a foot that slips shows it, no posture does),
- where the ankle lies in the shank (the joint centre moves in the sensor's axes when the shank's sensor turns, but not
  when the person walks in another way),
- the mean pose of foot against shank, and of both against the way travelled (which a gait may change, too).

The hypotheses "the foot's sensor turned by θ" and "the shank's turned by θ" each predict all of them. One is believed
where it explains them, where the hypothesis of no slip does not, and where its rival does not either (generalised
likelihood ratio: Willsky & Jones 1976, doi 10.1109/TAC.1976.1101146).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.numerics.compiled import compiled, inlined
from subtalar.estimation.numerics.records import Record, Records, record
from subtalar.estimation.parameters import StrapParameters
from subtalar.estimation.stance.stride_pose import STRIDE_POSE, turn_pose
from subtalar.types import FloatArray, Segment

FOOT_FRONT, FOOT_SIDE, FOOT_WAY, JOINT, SHANK_FRONT, SHANK_SIDE, SHANK_WAY = 0, 1, 2, slice(3, 6), 6, 7, 8
WITNESSES = 9
"""Of the foot seen from the front, from the side, against the way; of the joint about the three axes; of the shank."""

_LEARNT = 2.0

STRAP_RULE = np.dtype(
    [
        ("stride_sd", "f8", (WITNESSES,)),
        ("gait_sd", "f8", (WITNESSES,)),
        ("per_change", "f8", (WITNESSES,)),
        ("wander", "f8", (WITNESSES,)),
        ("lever_share", "f8"),
    ]
)
"""In rad: scatter of one stride at least, what a gait does from one minute to the next, what it does per logarithm of a
change of duration or vigour, and per minute. What counts of the variance that the joint centre's equations state."""


@dataclass(frozen=True)
class StrapSlip:
    """Which sensor turned on its segment, how far, and since when it may have (session time). ``turn`` (4,) is that of
    the sensor in the segment's axes.
    """

    segment: Segment
    angle_rad: float
    since_s: float
    turn: FloatArray


class _Verdict(NamedTuple):
    """Gain of the log-likelihood over no slip (twice it), what remains unexplained, and the turn (rad)."""

    gain: float
    left: float
    x: float
    y: float
    z: float


class SlipDetector:
    """Compares the newest strides with those just before and with the first ones.

    ``doubt_rad``: by how much the placement may be off that no gait explains.
    """

    def __init__(self, parameters: StrapParameters) -> None:
        p = self._p = parameters
        self.rule = record(
            STRAP_RULE,
            stride_sd=np.radians(p.stride_sd_deg),
            gait_sd=np.radians(p.gait_sd_deg),
            per_change=np.radians(p.per_change_deg),
            wander=np.radians(p.wander_deg_min),
            lever_share=p.lever_share,
        )
        self._first = np.empty(0, STRIDE_POSE)
        self._newest = np.empty(0, STRIDE_POSE)
        self._added = 0
        self._slow_doubt_rad = 0.0
        self._believed = 0
        """Strides in a row that showed a slip."""
        self.doubt_rad = 0.0

    def remounted(self, segment: Segment, to_new: FloatArray) -> None:
        """The slip was taken into account: ``to_new`` (4,) turns the sensor's former axes into the new ones.

        The first strides stay what the others are compared with, so a strap that creeps on is seen again.
        """
        self._newest = self._newest[:0]
        self._believed = 0
        self.doubt_rad = self._slow_doubt_rad = 0.0
        for k in range(len(self._first)):
            turn_pose(self._first[k : k + 1], segment == "foot", to_new)

    def add(
        self, pose: Records, foot: FloatArray, shank: FloatArray, levers_and_offset: FloatArray
    ) -> StrapSlip | None:
        """The next stride (1,); placements (4,) as they are used, and the unknowns of ``ankle_acceleration`` (7,)."""
        p = self._p
        self._newest = np.concatenate((self._newest, pose))[-(p.strides_before + p.strides_after) :]
        found: StrapSlip | None = None
        doubt = 0.0
        if len(self._newest) > p.fewest_before:
            # One stride shows nothing but that something may be amiss.
            _, doubt = self._compared(self._newest[:-1], pose, 0.0, foot, shank, levers_and_offset, p.least_gain)
        if len(self._newest) >= p.strides_after + p.fewest_before:
            before, after = self._newest[: -p.strides_after], self._newest[-p.strides_after :]
            found, now = self._compared(before, after, 0.0, foot, shank, levers_and_offset, p.doubtful_gain)
            doubt = max(doubt, now)
        self._added += 1
        # A strap that creeps can wait for a stride.
        due = self._added % 2 == 0 or self._believed > 0
        if found is None and due and len(self._first) == p.strides_first and len(self._newest) >= p.strides_before:
            after = self._newest[-p.strides_slow :]
            minutes = float(after["end_s"][0] - self._first["end_s"][-1]) / 60.0
            if minutes > 0.0:
                found, slow = self._compared(
                    self._first, after, minutes, foot, shank, levers_and_offset, p.doubtful_gain
                )
                self._slow_doubt_rad = slow
        if len(self._first) < p.strides_first:
            self._first = np.concatenate((self._first, pose))
        self.doubt_rad = max(doubt, self._slow_doubt_rad)
        self._believed = self._believed + 1 if found is not None else 0
        # The first to show it are still mixed with strides before.
        return found if self._believed > p.strides_to_settle else None

    def _compared(
        self,
        before: Records,
        after: Records,
        minutes: float,
        foot: FloatArray,
        shank: FloatArray,
        x: FloatArray,
        doubtful_gain: float,
    ) -> tuple[StrapSlip | None, float]:
        p = self._p
        of_foot, of_shank, worst = _judged(before, after, minutes, foot, shank, x, self.rule)
        foot_slips = of_foot.gain >= of_shank.gain
        best, rival = (of_foot, of_shank) if foot_slips else (of_shank, of_foot)
        turn = np.array([best.x, best.y, best.z])
        angle_rad = float(np.sqrt(np.sum(turn * turn)))
        # What is half believed makes the angles uncertain by as much.
        doubt_rad = min(1.0, best.gain / p.half_believed_gain) * angle_rad if best.gain > doubtful_gain else 0.0
        believed = best.gain >= p.least_gain and best.gain - rival.gain >= p.least_lead
        left = p.most_left + p.left_per_gain * best.gain
        if not believed or best.left > left or angle_rad < p.least_slip_rad or worst > p.most_scatter * angle_rad:
            return None, doubt_rad
        segment: Segment = "foot" if foot_slips else "shank"
        half = 0.5 * angle_rad
        quaternion = np.concatenate(([np.cos(half)], np.sin(half) / angle_rad * turn))
        return StrapSlip(segment, angle_rad, float(before["start_s"][-1]), quaternion), doubt_rad


@compiled("(pose[::1], pose[::1], f8, f8[::1], f8[::1], f8[::1], rule[::1])", pose=STRIDE_POSE, rule=STRAP_RULE)
def _judged(
    before: Records,
    after: Records,
    minutes: float,
    foot: FloatArray,
    shank: FloatArray,
    x: FloatArray,
    rule: Records,
) -> tuple[_Verdict, _Verdict, float]:
    """What speaks for a slip of the foot's sensor and of the shank's, and how far one of the strides after strays."""
    old, new = np.empty((len(before), WITNESSES)), np.empty((len(after), WITNESSES))
    for i in range(len(before)):
        _witnesses(before[i], before[0], foot, shank, old[i])
    for i in range(len(after)):
        _witnesses(after[i], before[0], foot, shank, new[i])
    lever_before, ahead_before, lateral_before = _lever(before, shank, x)
    lever_after, ahead_after, lateral_after = _lever(after, shank, x)
    has_levers = lever_before[1] < 0.0 and lever_after[1] < 0.0
    changed = max(
        abs(np.median(after["log_duration"]) - np.median(before["log_duration"])),
        abs(np.median(after["log_rate"]) - np.median(before["log_rate"])),
    )
    # What was learnt of the accelerometers since has turned the verticals.
    learnt = np.empty(2)
    for k in range(2):
        learnt[k] = 0.0
        for c in range(3):
            then, now = before["acc_bias_m_s2"][:, k, c], after["acc_bias_m_s2"][:, k, c]
            learnt[k] += _LEARNT * ((np.mean(now) - np.mean(then)) / GRAVITY_M_S2) ** 2
    shown, variance = np.zeros(WITNESSES), np.empty(WITNESSES)
    worst = 0.0
    for k in range(WITNESSES):
        middle_old, middle_new = np.median(old[:, k]), np.median(new[:, k])
        scatter = 1.4826 * max(np.median(np.abs(old[:, k] - middle_old)), np.median(np.abs(new[:, k] - middle_new)))
        one = max(scatter, rule[0]["stride_sd"][k])
        gait, wander = rule[0]["gait_sd"][k], rule[0]["wander"][k] * minutes
        change = rule[0]["per_change"][k] * changed
        of_strides = one * one * (1.0 / len(before) + 1.0 / len(after)) * 1.57  # of medians
        variance[k] = of_strides + gait * gait + change * change + wander * wander
        if k in (FOOT_FRONT, FOOT_SIDE):
            variance[k] += learnt[0]
        elif k in (JOINT.start, JOINT.stop - 1):
            variance[k] += learnt[0] + learnt[1]
        elif k in (SHANK_FRONT, SHANK_SIDE):
            variance[k] += learnt[1]
        shown[k] = middle_new - middle_old
        if k in (FOOT_FRONT, FOOT_SIDE):
            worst = max(worst, one)
    if has_levers:
        share = rule[0]["lever_share"] / (lever_before[1] * lever_before[1])
        variance[SHANK_FRONT] += share * (lateral_before + lateral_after)
        variance[SHANK_SIDE] += share * (ahead_before + ahead_after)
        shown[SHANK_FRONT] = np.arctan2(lever_after[2], -lever_after[1]) - np.arctan2(lever_before[2], -lever_before[1])
        shown[SHANK_SIDE] = np.arctan2(lever_after[0], -lever_after[1]) - np.arctan2(lever_before[0], -lever_before[1])
    else:
        variance[SHANK_FRONT] = variance[SHANK_SIDE] = 1e6
    return _foot_verdict(shown, variance), _shank_verdict(shown, variance), worst


@inlined
def _witnesses(stride: Record, base: Record, foot: FloatArray, shank: FloatArray, out: FloatArray) -> None:
    """Small turns of one stride against another, in segment axes; the joint centre's are not of single strides."""
    to_foot, to_shank = quat.quaternion_of(foot), quat.quaternion_of(shank)
    x, y, z = quat.turned(to_foot, quat.vector_of(stride["foot_up"]))
    out[FOOT_FRONT], out[FOOT_SIDE] = np.arctan2(z, y), np.arctan2(x, y) - stride["slope_rad"]
    x, _, z = quat.turned(to_foot, quat.vector_of(stride["foot_ahead"]))
    out[FOOT_WAY] = np.arctan2(-z, x)
    x, _, z = quat.turned(to_shank, quat.vector_of(stride["shank_ahead"]))
    out[SHANK_WAY] = np.arctan2(-z, x)
    was, now = _joint(base, to_foot, to_shank), _joint(stride, to_foot, to_shank)
    w, x, y, z = quat.product(quat.inverse(was), now)
    sign = 2.0 if w >= 0.0 else -2.0
    out[JOINT.start], out[JOINT.start + 1], out[JOINT.start + 2] = sign * x, sign * y, sign * z
    out[SHANK_FRONT] = out[SHANK_SIDE] = 0.0


@inlined
def _joint(stride: Record, to_foot: quat.Quaternion, to_shank: quat.Quaternion) -> quat.Quaternion:
    """Foot segment in shank segment."""
    return quat.product(to_shank, quat.product(quat.quaternion_of(stride["joint"]), quat.inverse(to_foot)))


@inlined
def _lever(strides: Records, shank: FloatArray, x: FloatArray) -> tuple[quat.Vector, float, float]:
    """The ankle in shank-segment axes as these strides alone see it, with the foot's lever and the offset as they are
    known, and the variances of its anterior and its lateral component; zero where they do not see it.
    """
    a, b = np.zeros((3, 3)), np.zeros(3)
    for i in range(len(strides)):
        for r in range(3):
            b[r] += strides[i]["vector"][3 + r]
            for c in range(7):
                if 3 <= c < 6:
                    a[r, c - 3] += strides[i]["information"][3 + r, c]
                else:
                    b[r] -= strides[i]["information"][3 + r, c] * x[c]
    inverse = np.empty((3, 3))
    for r in range(3):
        m, n = (r + 1) % 3, (r + 2) % 3
        for c in range(3):
            o, p = (c + 1) % 3, (c + 2) % 3
            inverse[c, r] = a[m, o] * a[n, p] - a[m, p] * a[n, o]
    size = a[0, 0] * inverse[0, 0] + a[0, 1] * inverse[1, 0] + a[0, 2] * inverse[2, 0]
    if not size > 1e-9 * (a[0, 0] + a[1, 1] + a[2, 2]) ** 3:
        return (0.0, 0.0, 0.0), 0.0, 0.0
    found = np.zeros(3)
    for r in range(3):
        for c in range(3):
            inverse[r, c] /= size
            found[r] += inverse[r, c] * b[c]
    rotation = quat.matrix_of(quat.quaternion_of(shank))
    ahead = lateral = 0.0
    for r in range(3):
        for c in range(3):
            ahead += rotation[r] * inverse[r, c] * rotation[c]
            lateral += rotation[6 + r] * inverse[r, c] * rotation[6 + c]
    return quat.turned(quat.quaternion_of(shank), (found[0], found[1], found[2])), ahead, lateral


@inlined
def _foot_verdict(shown: FloatArray, variance: FloatArray) -> _Verdict:
    """The foot's sensor turned by θ: its vertical shows −θ from the front, θ from the side, the way −θ, the joint θ."""
    k = JOINT.start
    x, gain_x, left_x = _pair(-shown[FOOT_FRONT], variance[FOOT_FRONT], shown[k], variance[k])
    y, gain_y, left_y = _pair(-shown[FOOT_WAY], variance[FOOT_WAY], shown[k + 1], variance[k + 1])
    z, gain_z, left_z = _pair(shown[FOOT_SIDE], variance[FOOT_SIDE], shown[k + 2], variance[k + 2])
    left = left_x + left_y + left_z
    for other in (SHANK_FRONT, SHANK_SIDE, SHANK_WAY):
        left += shown[other] * shown[other] / variance[other]
    return _Verdict(gain_x + gain_y + gain_z, left, x, y, z)


@inlined
def _shank_verdict(shown: FloatArray, variance: FloatArray) -> _Verdict:
    """The shank's sensor turned by θ: the ankle in it shows θ from the front and −θ from the side, the joint −θ."""
    k = JOINT.start
    x, gain_x, left_x = _pair(shown[SHANK_FRONT], variance[SHANK_FRONT], -shown[k], variance[k])
    y, gain_y, left_y = _pair(-shown[SHANK_WAY], variance[SHANK_WAY], -shown[k + 1], variance[k + 1])
    z, gain_z, left_z = _pair(-shown[SHANK_SIDE], variance[SHANK_SIDE], -shown[k + 2], variance[k + 2])
    left = left_x + left_y + left_z
    for other in (FOOT_FRONT, FOOT_SIDE, FOOT_WAY):
        left += shown[other] * shown[other] / variance[other]
    return _Verdict(gain_x + gain_y + gain_z, left, x, y, z)


@inlined
def _pair(one: float, one_variance: float, other: float, other_variance: float) -> quat.Vector:
    """What two witnesses say together, how much better that is than nothing, and how far they disagree."""
    value = (one * other_variance + other * one_variance) / (one_variance + other_variance)
    left = (one - other) * (one - other) / (one_variance + other_variance)
    return value, one * one / one_variance + other * other / other_variance - left, left
