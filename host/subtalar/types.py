"""Frozen values that flow between the layers. Arrays are C-contiguous float64 and never written to again."""

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from subtalar.anatomy import ANGLE_COUNT, ANKLE, SIDES, BodySite, Segment, Side
from subtalar.strides import Stride

__all__ = [
    "SIDES",
    "AngleBlock",
    "BodySite",
    "Calibration",
    "Estimates",
    "EventKind",
    "FloatArray",
    "GaitEvent",
    "IntArray",
    "Ledger",
    "LinkState",
    "Notice",
    "NoticeLevel",
    "Quality",
    "SampleBlock",
    "Segment",
    "SensorInfo",
    "SensorStatus",
    "Side",
    "Stride",
    "Vector",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SensorInfo:
    """What is known of a sensor before its first sample.

    ``rate_hz`` is nominal. A range is the largest magnitude a channel can show; None where unknown.
    """

    site: BodySite
    rate_hz: float
    acc_range_m_s2: float | None = None
    gyr_range_rad_s: float | None = None
    model: str = ""
    address: str = ""


@dataclass(frozen=True)
class SampleBlock:
    """Consecutive samples of one sensor, in its own axes, in the order they were measured.

    ``device_time_s`` (n,) is the sensor's own clock: own offset, own drift, gaps where samples were lost.
    ``host_time_s`` (n,) is the arrival on the session clock: late, jittered, never decreasing; the samples
    of one notification share it. Either may be None, not both. ``acc_m_s2`` (n, 3) is specific force
    (+1 g on the axis that points up at rest), ``gyr_rad_s`` (n, 3) angular velocity.

    Raises ValueError where shapes disagree or both times are missing.
    """

    site: BodySite
    device_time_s: FloatArray | None
    host_time_s: FloatArray | None
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray

    def __post_init__(self) -> None:
        n = len(self.acc_m_s2)
        if self.acc_m_s2.shape != (n, 3) or self.gyr_rad_s.shape != (n, 3):
            raise ValueError(f"acc and gyr must both be (n, 3), not {self.acc_m_s2.shape} and {self.gyr_rad_s.shape}")
        if self.device_time_s is None and self.host_time_s is None:
            raise ValueError("a block needs a device time or a host time")
        for t in (self.device_time_s, self.host_time_s):
            if t is not None and t.shape != (n,):
                raise ValueError(f"times must be ({n},), not {t.shape}")

    def __len__(self) -> int:
        return len(self.acc_m_s2)


class Quality(IntEnum):
    """Why an angle is, or is not, to be trusted. The most serious reason wins, by ``severity`` and not by the code."""

    OK = 0
    FEW_STRIDES = 1
    HEADING_STALE = 2
    CLIPPED = 3
    BRIDGED_GAP = 4
    NOT_CALIBRATED = 5
    NO_DATA = 6
    PROVISIONAL_ZERO = 7

    @property
    def label(self) -> str:
        """The word written to files: ``ok``, ``few_strides``, …"""
        return self.name.lower()

    @property
    def severity(self) -> int:
        """0 for ``ok``; higher is worse."""
        return SEVERITY[self]


SEVERITY: Final = (0, 2, 3, 4, 5, 6, 7, 1)
"""How serious each ``Quality`` is, by its code: a zero that is only provisional leaves everything else as it is."""


@dataclass(frozen=True)
class AngleBlock:
    """Angles of one side.

    ``time_s`` (n,) session clock; ``angles_deg`` and ``angles_sd_deg`` (n, ``anatomy.ANGLE_COUNT``) in the order of
    ``anatomy.ANGLES``, NaN where not known; ``quality`` (n,) of ``Quality`` values; ``shank_orientation`` (n, 4)
    scalar-first quaternion, shank segment frame (ISB) into a view whose x axis is the direction of travel of the last
    stride, y up, z right; NaN before calibration; ``zero_sd_deg`` (n,) the part of the ankle's sd that its zero has,
    one constant error of all rows; NaN where not known.

    Raises ValueError where shapes disagree.
    """

    side: Side
    time_s: FloatArray
    angles_deg: FloatArray
    angles_sd_deg: FloatArray
    quality: npt.NDArray[np.uint8]
    shank_orientation: FloatArray
    zero_sd_deg: FloatArray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if len(self.zero_sd_deg) == 0 and len(self.time_s):
            object.__setattr__(self, "zero_sd_deg", np.full(len(self.time_s), np.nan))
        shape = (len(self.time_s), ANGLE_COUNT)
        for name in ("angles_deg", "angles_sd_deg"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must be {shape}, not {getattr(self, name).shape}")

    @classmethod
    def of_ankle(
        cls,
        side: Side,
        time_s: FloatArray,
        ankle_deg: FloatArray,
        ankle_sd_deg: FloatArray,
        quality: npt.NDArray[np.uint8],
        shank_orientation: FloatArray,
    ) -> "AngleBlock":
        """Where only the angles of the ankle (n, 3) are known."""
        angles_deg, angles_sd_deg = (np.full((len(time_s), ANGLE_COUNT), np.nan) for _ in range(2))
        angles_deg[:, ANKLE], angles_sd_deg[:, ANKLE] = ankle_deg, ankle_sd_deg
        return cls(side, time_s, angles_deg, angles_sd_deg, quality, shank_orientation)

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def ankle_deg(self) -> FloatArray:
        """The angles of the ankle (n, 3), a view."""
        return self.angles_deg[:, ANKLE]

    @property
    def ankle_sd_deg(self) -> FloatArray:
        """Their standard deviations (n, 3), a view."""
        return self.angles_sd_deg[:, ANKLE]


EventKind = Literal["initial_contact", "foot_flat", "foot_off"]


@dataclass(frozen=True)
class GaitEvent:
    """A gait event: when it happened, and when the stream let us know it (both session clock)."""

    side: Side
    kind: EventKind
    time_s: float
    detected_s: float


NoticeLevel = Literal["info", "advice", "problem"]


@dataclass(frozen=True)
class Notice:
    """One sentence for the person at the screen: what was found, or what to do. ``code`` is stable."""

    time_s: float
    level: NoticeLevel
    code: str
    text: str
    side: Side | None = None
    site: BodySite | None = None


Vector = tuple[float, ...]


@dataclass(frozen=True)
class Calibration:
    """What was known of a leg's sensors after a stride had been learnt from (``time_s``, session clock).

    ``axis_from``: where the medio-lateral axis comes from, ``knee_bends`` or ``walk``; ``strides`` learnt from so far.
    ``foot_placement`` and ``shank_placement`` (4,): scalar-first quaternions, sensor axes into segment axes. A leg with
    both sensors also has ``shank_axis`` (3,), the medio-lateral axis to the right in shank-sensor axes; the way from
    each sensor to the ankle (3,) in its own axes; ``heading_rad``, which turned the shank's level world into the
    foot's when standing ended, and ``mismatch`` (0 to 1) of the two ankle velocities; ``clock_offset_s``, by how much
    later the shank's clock shows an instant; biases (3,) of the accelerometers and their mean sd. Empty or NaN: not
    known.
    """

    side: Side
    time_s: float
    axis_from: str
    strides: int
    foot_placement: Vector = ()
    shank_placement: Vector = ()
    shank_axis: Vector = ()
    foot_lever_m: Vector = ()
    shank_lever_m: Vector = ()
    foot_acc_bias_m_s2: Vector = ()
    shank_acc_bias_m_s2: Vector = ()
    acc_bias_sd_m_s2: float = math.nan
    heading_rad: float = math.nan
    mismatch: float = math.nan
    clock_offset_s: float = math.nan


@dataclass(frozen=True)
class Estimates:
    """All that one push of samples brought to light; any part may be empty."""

    angles: tuple[AngleBlock, ...] = ()
    events: tuple[GaitEvent, ...] = ()
    strides: tuple[Stride, ...] = ()
    notices: tuple[Notice, ...] = ()
    calibrations: tuple[Calibration, ...] = ()


LinkState = Literal["idle", "connecting", "streaming", "silent", "reconnecting", "ended"]


@dataclass(frozen=True)
class Ledger:
    """What became of a sensor's samples. ``lost_is_estimated``: the protocol carries neither counter nor time.

    ``clock_drift_ppm``: by how much the sensor's clock runs faster than the computer's. ``delay_ms``: by how much its
    newest samples came later than the least delayed ones, in the median. Both None where not known. ``clock_jumps``:
    how often the sensor's clock jumped or began anew.
    """

    received: int = 0
    lost: int = 0
    lost_is_estimated: bool = False
    duplicated: int = 0
    corrupt_bytes: int = 0
    reconnects: int = 0
    clock_drift_ppm: float | None = None
    delay_ms: float | None = None
    clock_jumps: int = 0


@dataclass(frozen=True)
class SensorStatus:
    """A sensor as the screen shows it. ``rate_hz`` is measured over the last seconds; None = not known yet."""

    info: SensorInfo
    link: LinkState = "idle"
    rate_hz: float | None = None
    battery_percent: float | None = None
    ledger: Ledger = field(default_factory=Ledger)
