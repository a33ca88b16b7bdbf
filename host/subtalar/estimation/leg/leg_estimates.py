"""What one leg found since it was last asked."""

from dataclasses import dataclass, field

from subtalar.types import AngleBlock, Calibration, GaitEvent, Notice, Stride


@dataclass
class LegEstimates:
    """As in ``types.Estimates``, growing while the leg works."""

    angles: list[AngleBlock] = field(default_factory=list)
    events: list[GaitEvent] = field(default_factory=list)
    strides: list[Stride] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    calibrations: list[Calibration] = field(default_factory=list)
