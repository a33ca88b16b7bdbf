"""Key measures of a stride, their mean and spread a side, and how the sides compare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from subtalar.types import FloatArray, Stride

Scale = Literal["ratio", "angle"]
"""``ratio``: zero means none, so a share of the mean makes sense. ``angle``: zero is the standing pose."""


@dataclass(frozen=True)
class Measure:
    """One number a stride. ``key`` ends in its unit as everywhere in the files; ``shown`` scales it for the page."""

    key: str
    group: str
    label: str
    unit: str
    decimals: int
    scale: Scale
    value: Callable[[Stride], float]
    shown: float = 1.0
    angle: int | None = None
    """The angle whose uncertainty bounds a left/right comparison of this measure, if any."""
    same_for_both_feet: bool = False
    """Both feet cover the same distance: what differs between them is measuring error, not asymmetry."""


def _of(name: str) -> Callable[[Stride], float]:
    def value(stride: Stride) -> float:
        return float(getattr(stride, name))

    return value


def _cadence(stride: Stride) -> float:
    return 120.0 / stride.stride_time_s if stride.stride_time_s > 0 else float("nan")


def _speed(stride: Stride) -> float:
    return stride.stride_length_m / stride.stride_time_s if stride.stride_time_s > 0 else float("nan")


_STEP, _FRONT, _TURN, _FLEX, _LOAD = (
    "Step timing and length",
    "Pronation and supination",
    "Tibial rotation",
    "Dorsiflexion",
    "Foot placement and impact",
)

MEASURES: Final = (
    Measure("cadence_steps_per_min", _STEP, "Cadence", "steps/min", 1, "ratio", _cadence),
    Measure("stride_time_s", _STEP, "Stride time", "s", 3, "ratio", _of("stride_time_s")),
    Measure("stance_ratio", _STEP, "Stance, share of stride", "%", 1, "ratio", _of("stance_ratio"), 100.0),
    Measure("stride_length_m", _STEP, "Stride length", "m", 2, "ratio", _of("stride_length_m"),
            same_for_both_feet=True),
    Measure("speed_m_s", _STEP, "Speed", "m/s", 2, "ratio", _speed, same_for_both_feet=True),
    Measure("peak_eversion_deg", _FRONT, "Peak eversion", "°", 1, "angle", _of("peak_eversion_deg"), angle=1),
    Measure(
        "eversion_excursion_deg", _FRONT, "Eversion excursion (contact to peak)", "°", 1, "ratio",
        _of("eversion_excursion_deg"),
    ),
    Measure(
        "time_to_peak_eversion_pct", _FRONT, "Time to peak eversion", "% of stance", 0, "ratio",
        _of("time_to_peak_eversion_pct"),
    ),
    Measure(
        "peak_eversion_velocity_deg_s", _FRONT, "Peak eversion velocity", "°/s", 0, "ratio",
        _of("peak_eversion_velocity_deg_s"),
    ),
    Measure(
        "peak_subtalar_pronation_deg", _FRONT, "Peak pronation about the subtalar axis", "°", 1, "angle",
        _of("peak_subtalar_pronation_deg"), angle=1,
    ),
    Measure(
        "subtalar_pronation_excursion_deg", _FRONT, "Pronation excursion about that axis", "°", 1, "ratio",
        _of("subtalar_pronation_excursion_deg"),
    ),
    Measure("mean_inversion_deg", _FRONT, "Mean inversion (+) / eversion (−)", "°", 1, "angle",
            _of("mean_inversion_deg"), angle=1),
    Measure(
        "tibial_rotation_excursion_deg", _TURN, "Tibial rotation excursion", "°", 1, "ratio",
        _of("tibial_rotation_excursion_deg"),
    ),
    Measure("mean_tibial_rotation_deg", _TURN, "Mean internal (+) / external (−) rotation", "°", 1, "angle",
            _of("mean_tibial_rotation_deg"), angle=2),
    Measure(
        "eversion_tibial_coupling", _TURN, "Eversion ÷ tibial rotation", "", 2, "ratio",
        _of("eversion_tibial_coupling"),
    ),
    Measure("peak_dorsiflexion_deg", _FLEX, "Peak dorsiflexion in stance", "°", 1, "angle",
            _of("peak_dorsiflexion_deg"), angle=0),
    Measure("dorsiflexion_range_deg", _FLEX, "Dorsiflexion range", "°", 1, "ratio", _of("dorsiflexion_range_deg")),
    Measure("foot_strike_angle_deg", _LOAD, "Foot-strike angle (+ heel first)", "°", 1, "angle",
            _of("foot_strike_angle_deg")),
    Measure("foot_progression_deg", _LOAD, "Foot progression angle (+ toes out)", "°", 1, "angle",
            _of("foot_progression_deg")),
    Measure(
        "peak_tibial_acceleration_g", _LOAD, "Peak tibial acceleration", "g", 2, "ratio",
        _of("peak_tibial_acceleration_g"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation over ``n`` strides; NaN when not known (sd needs two)."""

    mean: float
    sd: float
    n: int

    @property
    def cv_pct(self) -> float:
        """Coefficient of variation, sd as a share of the mean."""
        return 100.0 * self.sd / abs(self.mean) if self.mean else float("nan")


def spread(values: Sequence[float] | FloatArray) -> Spread:
    """Over the values that are known."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    n = len(known)
    return Spread(float(known.mean()) if n else float("nan"), float(known.std(ddof=1)) if n > 1 else float("nan"), n)


def measure_spread(measure: Measure, strides: Sequence[Stride]) -> Spread:
    """Mean and sd of one measure over those strides."""
    return spread([measure.value(stride) for stride in strides])


@dataclass(frozen=True)
class Comparison:
    """Left minus right of the two means, and the symmetry index for measures with a true zero; NaN when not known."""

    difference: float
    symmetry_index_pct: float


def compare(measure: Measure, left: Spread, right: Spread) -> Comparison:
    """Symmetry index of Robinson et al. 1987: the difference as a share of the mean of both sides; 0 is symmetric."""
    difference = left.mean - right.mean
    middle = 0.5 * (left.mean + right.mean)
    index = 100.0 * difference / middle if measure.scale == "ratio" and middle > 0 else float("nan")
    return Comparison(difference, index)


@dataclass(frozen=True)
class Curves:
    """Mean and sd of the used strides over the gait cycle, each (101, 3); sd is NaN for a single stride."""

    mean_deg: FloatArray
    sd_deg: FloatArray
    n: int


def curves(waveforms_deg: FloatArray) -> Curves | None:
    """Of (m, 101, 3) waveforms; None without any."""
    n = len(waveforms_deg)
    if not n:
        return None
    sd = waveforms_deg.std(axis=0, ddof=1) if n > 1 else np.full(waveforms_deg.shape[1:], np.nan)
    return Curves(waveforms_deg.mean(axis=0), sd, n)


def waveform_rms_difference_deg(left: Curves, right: Curves) -> FloatArray:
    """Root mean square over the cycle of left minus right mean curve, an angle each (3,)."""
    return np.asarray(np.sqrt(np.mean((left.mean_deg - right.mean_deg) ** 2, axis=0)), np.float64)
