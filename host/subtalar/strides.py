"""A stride and all that is measured of it: the value that flows between the layers, and its measures as data.

A new measure is a field of ``Stride`` (a column of ``strides.csv``, of recordings and of every export) and, where
people shall see it, an entry in ``MEASURES`` (summary, report, window). ``estimation/gait/stride_measures.py`` computes
it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

from subtalar.anatomy import Side, angle_index

Kind = Literal["number", "integer", "word"]
Scale = Literal["ratio", "angle"]
"""``ratio``: zero means none, so a share of the mean makes sense. ``angle``: zero is the standing pose."""


@dataclass(frozen=True)
class StrideColumn:
    """``number``: of its field in recordings, for ever. ``sign``: what positive means."""

    name: str
    number: int
    kind: Kind
    unit: str
    meaning: str
    sign: str = ""


_Metadata = Mapping[str, Any]


def _number(number: int, unit: str, meaning: str, sign: str = "", *, kind: Kind = "number") -> _Metadata:
    return {"number": number, "kind": kind, "unit": unit, "meaning": meaning, "sign": sign}


def _word(number: int, meaning: str) -> _Metadata:
    return _number(number, "", meaning, kind="word")


@dataclass(frozen=True)
class Stride:
    """One stride, initial contact to the next. Field names are the columns of ``strides.csv``; NaN = not known.

    ``measured_by``: which sensors of the leg there were, ``foot_and_shank``, ``foot`` or ``shank``.
    """

    side: Side = field(metadata=_word(1, "left or right."))
    initial_contact_s: float = field(
        metadata=_number(2, "s", "Initial contact that begins the stride, session clock."),
    )
    foot_off_s: float = field(metadata=_number(3, "s", "Foot off, session clock."))
    stride_time_s: float = field(metadata=_number(4, "s", "Initial contact to the next of the same foot."))
    stance_ratio: float = field(metadata=_number(5, "", "Stance time over stride time, 0 to 1."))
    stride_length_m: float = field(
        metadata=_number(6, "m", "Distance that the ankle travelled over the floor in the stride."),
    )
    peak_eversion_deg: float = field(
        metadata=_number(7, "deg", "Largest eversion in stance.", "eversion (minus inversion_deg)"),
    )
    eversion_excursion_deg: float = field(
        metadata=_number(8, "deg", "Eversion from initial contact to its peak.", "towards eversion"),
    )
    time_to_peak_eversion_pct: float = field(
        metadata=_number(9, "%", "Time from initial contact to peak eversion, in per cent of stance."),
    )
    peak_eversion_velocity_deg_s: float = field(
        metadata=_number(10, "deg/s", "Steepest rise of eversion over 50 ms.", "towards eversion"),
    )
    tibial_rotation_excursion_deg: float = field(
        metadata=_number(11, "deg", "Largest minus least tibial rotation in stance."),
    )
    eversion_tibial_coupling: float = field(
        metadata=_number(12, "", "Eversion excursion over the range of tibial rotation until peak eversion."),
    )
    peak_dorsiflexion_deg: float = field(metadata=_number(13, "deg", "Largest dorsiflexion in stance.", "toes up"))
    peak_tibial_acceleration_g: float = field(
        metadata=_number(14, "g", "Largest specific force of the shank within 0.15 s of contact."),
    )
    foot_strike_angle_deg: float = field(
        metadata=_number(15, "deg", "Foot to the floor at initial contact.", "toes up (heel first)"),
    )
    foot_progression_deg: float = field(
        metadata=_number(16, "deg", "Resting foot's direction to the direction of travel.", "toes out"),
    )
    lost_samples: int = field(
        metadata=_number(17, "", "Samples of the leg that were lost in the stride.", kind="integer"),
    )
    quality: str = field(metadata=_word(18, "ok, or why the stride was not measured or is in doubt."))
    mean_tibial_rotation_deg: float = field(
        metadata=_number(19, "deg", "Mean tibial rotation over the stride.", "internal"),
    )
    mean_inversion_deg: float = field(
        metadata=_number(20, "deg", "Mean inversion over the stride.", "sole to the midline"),
    )
    dorsiflexion_range_deg: float = field(metadata=_number(21, "deg", "Largest minus least dorsiflexion."))
    peak_subtalar_pronation_deg: float = field(
        default=math.nan,
        metadata=_number(22, "deg", "Largest pronation about the subtalar axis in stance.", "pronation"),
    )
    subtalar_pronation_excursion_deg: float = field(
        default=math.nan,
        metadata=_number(23, "deg", "Pronation about that axis from contact to its peak.", "pronation"),
    )
    subtalar_unexplained_deg: float = field(
        default=math.nan,
        metadata=_number(24, "deg", "What two hinges leave of the ankle's rotation: RMS in stance."),
    )
    measured_by: str = field(
        default="foot_and_shank",
        metadata=_word(25, "Which sensors the leg had: foot_and_shank, foot or shank."),
    )


STRIDE_COLUMNS: Final = tuple(StrideColumn(f.name, **f.metadata) for f in fields(Stride))
"""In the order of ``strides.csv``, which begins with the columns of the contract; new ones follow at the end."""
STRIDE_NAMES: Final = tuple(column.name for column in STRIDE_COLUMNS)
STRIDE_NUMBERS: Final = tuple(column.name for column in STRIDE_COLUMNS if column.kind == "number")
"""The columns that are real numbers, which may be NaN."""


@dataclass(frozen=True)
class TableHead:
    """How the window's table of strides shows a measure. ``title`` may have two lines; ``essential`` ones stay when
    there is little room.
    """

    title: str
    decimals: int
    help: str
    essential: bool = True


@dataclass(frozen=True)
class Measure:
    """One number a stride that people see. ``key`` ends in its unit as everywhere in the files.

    ``unit``, ``decimals`` and ``shown`` (a factor) are for the page; ``angle`` is the angle whose uncertainty bounds a
    comparison of left and right, if any; ``same_for_both_feet``: both feet cover the same distance, so that what
    differs between them is measuring error, not asymmetry. ``live``: its column in the window, if it has one.
    """

    key: str
    group: str
    label: str
    unit: str
    decimals: int
    scale: Scale
    live: TableHead | None = None
    computed: Callable[[Stride], float] | None = None
    """From several columns; None for the column of this name."""
    shown: float = 1.0
    angle: int | None = None
    same_for_both_feet: bool = False

    def value(self, stride: Stride) -> float:
        """The measure of a stride, in the unit of its key; NaN where it is not known."""
        return float(getattr(stride, self.key)) if self.computed is None else self.computed(stride)


def _cadence(stride: Stride) -> float:
    return 120.0 / stride.stride_time_s if stride.stride_time_s > 0 else math.nan


def _speed(stride: Stride) -> float:
    return stride.stride_length_m / stride.stride_time_s if stride.stride_time_s > 0 else math.nan


_STEP, _FRONT, _TURN, _FLEX, _LOAD = (
    "Step timing and length",
    "Pronation and supination",
    "Tibial rotation",
    "Dorsiflexion",
    "Foot placement and impact",
)
_DORSIFLEXION, _INVERSION, _ROTATION = map(angle_index, ("dorsiflexion", "inversion", "tibial_rotation"))

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("cadence_steps_per_min", _STEP, "Cadence", "steps/min", 1, "ratio", computed=_cadence),
    Measure("stride_time_s", _STEP, "Stride time", "s", 3, "ratio",
            TableHead("Stride\ntime", 2, "Initial contact to the next of the same foot")),
    Measure("stance_ratio", _STEP, "Stance, share of stride", "%", 1, "ratio",
            TableHead("\nStance", 0, "Share of the stride with the foot on the ground"), shown=100.0),
    Measure("stride_length_m", _STEP, "Stride length", "m", 2, "ratio",
            TableHead("Stride\nlength", 2, "Distance between two contacts"), same_for_both_feet=True),
    Measure("speed_m_s", _STEP, "Speed", "m/s", 2, "ratio", computed=_speed, same_for_both_feet=True),
    Measure("peak_eversion_deg", _FRONT, "Peak eversion", "°", 1, "angle",
            TableHead("Peak\neversion", 1, "Largest eversion in stance"), angle=_INVERSION),
    Measure("eversion_excursion_deg", _FRONT, "Eversion excursion (contact to peak)", "°", 1, "ratio",
            TableHead("Eversion\nexcurs.", 1, "Eversion from contact to its peak")),
    Measure("time_to_peak_eversion_pct", _FRONT, "Time to peak eversion", "% of stance", 0, "ratio",
            TableHead("Peak ev.\ntime", 0, "When in stance eversion is largest")),
    Measure("peak_eversion_velocity_deg_s", _FRONT, "Peak eversion velocity", "°/s", 0, "ratio",
            TableHead("Eversion\nvel.", 0, "Fastest eversion in stance", essential=False)),
    Measure("peak_subtalar_pronation_deg", _FRONT, "Peak pronation about the subtalar axis", "°", 1, "angle",
            angle=_INVERSION),
    Measure("subtalar_pronation_excursion_deg", _FRONT, "Pronation excursion about that axis", "°", 1, "ratio"),
    Measure("mean_inversion_deg", _FRONT, "Mean inversion (+) / eversion (−)", "°", 1, "angle", angle=_INVERSION),
    Measure("tibial_rotation_excursion_deg", _TURN, "Tibial rotation excursion", "°", 1, "ratio",
            TableHead("Tib. rot.\nexcurs.", 1, "Range of tibial rotation in stance")),
    Measure("mean_tibial_rotation_deg", _TURN, "Mean internal (+) / external (−) rotation", "°", 1, "angle",
            angle=_ROTATION),
    Measure("eversion_tibial_coupling", _TURN, "Eversion ÷ tibial rotation", "", 2, "ratio",
            TableHead("Ev./tib.\nratio", 2, "Eversion per tibial rotation", essential=False)),
    Measure("peak_dorsiflexion_deg", _FLEX, "Peak dorsiflexion in stance", "°", 1, "angle",
            TableHead("Peak\ndorsifl.", 1, "Largest dorsiflexion in stance"), angle=_DORSIFLEXION),
    Measure("dorsiflexion_range_deg", _FLEX, "Dorsiflexion range", "°", 1, "ratio"),
    Measure("foot_strike_angle_deg", _LOAD, "Foot-strike angle (+ heel first)", "°", 1, "angle",
            TableHead("Strike\nangle", 0, "Foot against the ground at contact, + heel first")),
    Measure("foot_progression_deg", _LOAD, "Foot progression angle (+ toes out)", "°", 1, "angle",
            TableHead("Foot\nprogr.", 0, "Foot against the direction of travel", essential=False)),
    Measure("peak_tibial_acceleration_g", _LOAD, "Peak tibial acceleration", "g", 2, "ratio",
            TableHead("Tibial\nshock", 1, "Peak acceleration of the shank")),
)  # fmt: skip
"""In the order of the report."""
