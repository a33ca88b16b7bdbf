"""The tables that leave the software: every column with its unit, its sign and what it means, in one place."""

from dataclasses import dataclass
from typing import Final, Literal

from subtalar.anatomy import ANGLES as BODY_ANGLES
from subtalar.anatomy import ANKLE, FURTHER, Angle, BodySite
from subtalar.strides import STRIDE_COLUMNS
from subtalar.types import Quality

Kind = Literal["number", "integer", "word", "text"]
"""A ``word`` is one of few; a ``text`` was written by a person."""

SESSION_CLOCK: Final = "the session clock: the host's, freed of the delay of each sensor as far as arrivals show it"


@dataclass(frozen=True)
class Column:
    """One column; ``unit`` as in SI or ``deg``, empty for words and ratios. ``sign``: what positive means."""

    name: str
    kind: Kind
    unit: str
    meaning: str
    sign: str = ""


def _number(name: str, unit: str, meaning: str, sign: str = "") -> Column:
    return Column(name, "number", unit, meaning, sign)


TIME: Final = _number("time_s", "s", f"When it was measured, on {SESSION_CLOCK}.")

_AXES: Final = "xyz"
_SITES: Final = tuple(BodySite)
SAMPLES: Final = (
    TIME,
    Column("sensor", "word", "", f"Where the sensor sits: {', '.join(_SITES[:-1])} or {_SITES[-1]}."),
    _number("device_time_s", "s", "The sensor's own clock as it was sent: own offset, own drift."),
    _number("host_time_s", "s", "Arrival at the host, on its clock: late and jittered; samples may share one."),
    *(_number(f"acc_{a}_m_s2", "m/s^2", f"Specific force along the sensor's own {a}.", "up at rest") for a in _AXES),
    *(
        _number(f"gyr_{a}_rad_s", "rad/s", f"Angular velocity about the sensor's own {a} axis.", "right-hand rule")
        for a in _AXES
    ),
)
"""One row a sample as it was recorded. Where time_s is missing the estimator left the sample out."""

QUALITY_MEANING: Final = (
    f"Whether the angles are to be trusted, and why not: {', '.join(q.label for q in sorted(Quality))}."
)
SHANK_MEANING: Final = (
    "Orientation of the shank, scalar-first quaternion from the segment's axes (ISB: x forward, y up, z right) into a "
    "view whose x is the direction of travel of the last stride, y up, z right"
)


ZERO_SD_MEANING: Final = (
    "The part of the standard deviations of the ankle's angles that their common zero has: one constant error of "
    "all rows."
)


def _angle(angle: Angle) -> tuple[Column, Column]:
    name = angle.name
    return (
        _number(f"{name}_deg", "deg", angle.meaning, angle.sign),
        _number(f"{name}_sd_deg", "deg", f"One standard deviation of {name}_deg, as the estimator believes it."),
    )


ANGLES: Final = (
    TIME,
    Column("side", "word", "", "left or right."),
    *(_angle(angle)[0] for angle in BODY_ANGLES[ANKLE]),
    *(_angle(angle)[1] for angle in BODY_ANGLES[ANKLE]),
    Column("quality", "word", "", QUALITY_MEANING),
    *(column for angle in BODY_ANGLES[FURTHER] for column in _angle(angle)),
    _number("zero_sd_deg", "deg", ZERO_SD_MEANING),
    *(_number(f"shank_q{c}", "", f"{SHANK_MEANING}; {c}.") for c in "wxyz"),
)
"""One row a side and measured sample (of the foot, or of a leg's only sensor). Zero is the subject's quiet standing."""

EVENTS: Final = (
    _number("time_s", "s", f"When it happened or began, on {SESSION_CLOCK}."),
    _number("duration_s", "s", "How long it lasted; 0 for an instant."),
    Column(
        "event",
        "word",
        "",
        "initial_contact, foot_flat, foot_off (gait events), marker (a stretch that was named by a person or a "
        "protocol), notice (what the software said).",
    ),
    Column("side", "word", "", "left or right; missing where it concerns both."),
    Column("label", "text", "", "The marker's name, or the notice's sentence."),
    Column("code", "word", "", "The notice's stable code."),
    _number("detected_s", "s", "When the stream let a gait event be known, same clock as time_s."),
)

STRIDES: Final = tuple(Column(c.name, c.kind, c.unit, c.meaning, c.sign) for c in STRIDE_COLUMNS)

TABLES: Final = {"samples": SAMPLES, "angles": ANGLES, "strides": STRIDES, "events": EVENTS}
