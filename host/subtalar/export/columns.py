"""The tables that leave the software: every column with its unit, its sign and what it means, in one place."""

from dataclasses import dataclass, fields
from typing import Final, Literal

from subtalar.types import Quality, Stride

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
SAMPLES: Final = (
    TIME,
    Column("sensor", "word", "", "Where the sensor sits: left_foot, left_shank, right_foot or right_shank."),
    _number("device_time_s", "s", "The sensor's own clock as it was sent: own offset, own drift."),
    _number("host_time_s", "s", "Arrival at the host, on its clock: late and jittered; samples may share one."),
    *(_number(f"acc_{a}_m_s2", "m/s^2", f"Specific force along the sensor's own {a}.", "up at rest") for a in _AXES),
    *(
        _number(f"gyr_{a}_rad_s", "rad/s", f"Angular velocity about the sensor's own {a} axis.", "right-hand rule")
        for a in _AXES
    ),
)
"""One row a sample as it was recorded. Where time_s is missing the estimator left the sample out."""

ANGLE_MEANINGS: Final = {
    "dorsiflexion": ("Ankle, foot relative to shank, first of the Cardan angles Z-X'-Y'' (ISB).", "toes up"),
    "inversion": ("Ankle, foot relative to shank, second of the Cardan angles Z-X'-Y'' (ISB).", "sole to the midline"),
    "tibial_rotation": (
        "Ankle, third of the Cardan angles Z-X'-Y'' (ISB): tibia relative to the foot.",
        "tibia rotates internally",
    ),
    "subtalar": ("Turn of the foot about the subtalar axis of a mean foot.", "supination"),
    "foot_pitch": ("Foot to the floor.", "toes up"),
    "foot_inversion": ("Foot to the floor.", "sole to the midline"),
    "shank_sagittal": ("Shank to the vertical in the sagittal plane.", "leaning forward"),
    "shank_frontal": ("Shank to the vertical in the frontal plane.", "knee to the midline"),
}
QUALITY_MEANING: Final = (
    f"Whether the angles are to be trusted, and why not: {', '.join(q.label for q in sorted(Quality))}."
)
SHANK_MEANING: Final = (
    "Orientation of the shank, scalar-first quaternion from the segment's axes (ISB: x forward, y up, z right) into a "
    "view whose x is the direction of travel of the last stride, y up, z right"
)


def _angle(name: str) -> tuple[Column, Column]:
    meaning, sign = ANGLE_MEANINGS[name]
    return (
        _number(f"{name}_deg", "deg", meaning, sign),
        _number(f"{name}_sd_deg", "deg", f"One standard deviation of {name}_deg, as the estimator believes it."),
    )


_MAIN: Final = ("dorsiflexion", "inversion", "tibial_rotation")
ANGLES: Final = (
    TIME,
    Column("side", "word", "", "left or right."),
    *(_angle(name)[0] for name in _MAIN),
    *(_angle(name)[1] for name in _MAIN),
    Column("quality", "word", "", QUALITY_MEANING),
    *(column for name in ANGLE_MEANINGS if name not in _MAIN for column in _angle(name)),
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

_STRIDE_MEANINGS: Final = {
    "side": ("", "left or right.", ""),
    "initial_contact_s": ("s", "Initial contact that begins the stride, session clock.", ""),
    "foot_off_s": ("s", "Foot off, session clock.", ""),
    "stride_time_s": ("s", "Initial contact to the next of the same foot.", ""),
    "stance_ratio": ("", "Stance time over stride time, 0 to 1.", ""),
    "stride_length_m": ("m", "Distance that the ankle travelled over the floor in the stride.", ""),
    "peak_eversion_deg": ("deg", "Largest eversion in stance.", "eversion (minus inversion_deg)"),
    "eversion_excursion_deg": ("deg", "Eversion from initial contact to its peak.", "towards eversion"),
    "time_to_peak_eversion_pct": ("%", "Time from initial contact to peak eversion, in per cent of stance.", ""),
    "peak_eversion_velocity_deg_s": (
        "deg/s",
        "Steepest rise of eversion over 50 ms.",
        "towards eversion",
    ),
    "tibial_rotation_excursion_deg": ("deg", "Largest minus least tibial rotation in stance.", ""),
    "eversion_tibial_coupling": ("", "Eversion excursion over the range of tibial rotation until peak eversion.", ""),
    "peak_dorsiflexion_deg": ("deg", "Largest dorsiflexion in stance.", "toes up"),
    "peak_tibial_acceleration_g": (
        "g",
        "Largest specific force of the shank within 0.15 s of contact.",
        "",
    ),
    "foot_strike_angle_deg": ("deg", "Foot to the floor at initial contact.", "toes up (heel first)"),
    "foot_progression_deg": ("deg", "Resting foot's direction to the direction of travel.", "toes out"),
    "lost_samples": ("", "Samples of the leg that were lost in the stride.", ""),
    "quality": ("", "ok, or why the stride was not measured or is in doubt.", ""),
    "mean_tibial_rotation_deg": ("deg", "Mean tibial rotation over the stride.", "internal"),
    "mean_inversion_deg": ("deg", "Mean inversion over the stride.", "sole to the midline"),
    "dorsiflexion_range_deg": ("deg", "Largest minus least dorsiflexion.", ""),
    "peak_subtalar_pronation_deg": ("deg", "Largest pronation about the subtalar axis in stance.", "pronation"),
    "subtalar_pronation_excursion_deg": ("deg", "Pronation about that axis from contact to its peak.", "pronation"),
    "subtalar_unexplained_deg": (
        "deg",
        "What two hinges leave of the ankle's rotation: RMS in stance.",
        "",
    ),
    "measured_by": ("", "Which sensors the leg had: foot_and_shank, foot or shank.", ""),
}
_STRIDE_WORDS: Final = ("side", "quality", "measured_by")


def _stride_column(name: str) -> Column:
    unit, meaning, sign = _STRIDE_MEANINGS[name]
    kind: Kind = "word" if name in _STRIDE_WORDS else "integer" if name == "lost_samples" else "number"
    return Column(name, kind, unit, meaning, sign)


STRIDES: Final = tuple(_stride_column(field.name) for field in fields(Stride))

TABLES: Final = {"samples": SAMPLES, "angles": ANGLES, "strides": STRIDES, "events": EVENTS}
