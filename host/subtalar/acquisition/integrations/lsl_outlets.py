"""Angles, strides, gait events and markers for the Lab Streaming Layer.

Time stamps are LSL's clock at the moment at which things happened, not at which they were found. The format of the
meta-data is LSL's (https://github.com/sccn/xdf/wiki/Meta-Data).
"""

import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

import numpy as np

from subtalar import __version__
from subtalar.acquisition.integrations.lsl_library import SOURCE_PREFIX, lsl_clock_offset_s
from subtalar.anatomy import ANKLE_NAMES, FURTHER, FURTHER_NAMES
from subtalar.device import SessionClock
from subtalar.types import AngleBlock, BodySite, Estimates, Side, Stride

ANGLE_CHANNELS: Final = (
    *((f"{name}_deg", "degrees") for name in ANKLE_NAMES),
    *((f"{name}_sd_deg", "degrees") for name in ANKLE_NAMES),
    *((f"{name}_deg", "degrees") for name in FURTHER_NAMES),
    ("quality", "code"),
)
"""Label and unit of each channel; not known is NaN. Quality is that of ``types.Quality``, 0 = ok."""
_UNITS: Final = {
    "_deg_s": "degrees/second", "_deg": "degrees", "_s": "seconds", "_m": "meters", "_g": "g", "_pct": "percent",
}  # fmt: skip
_NOT_MEASURED: Final = ("side", "quality", "measured_by", "initial_contact_s", "foot_off_s")
_MEASURES: Final = tuple(f.name for f in fields(Stride) if f.name not in _NOT_MEASURED)
STRIDE_CHANNELS: Final = (
    *((name, next((unit for end, unit in _UNITS.items() if name.endswith(end)), "1")) for name in _MEASURES),
    ("foot_off_after_s", "seconds"),
    ("ok", "1"),
)
"""As the columns of strides.csv, stamped with the initial contact; ``ok`` is 1 where nothing is doubtful, else 0."""


class LslOutlets:
    """A ``Listener``. ``name`` tells this session's streams from those of others."""

    def __init__(self, clock: SessionClock, name: str) -> None:
        self._name = name
        self._offset_s = lsl_clock_offset_s(clock)
        self._angles: dict[Side, Any] = {}
        self._strides: dict[Side, Any] = {}
        self._events = self._outlet("events", "Markers", (("event", ""),), text=True)
        self._markers = self._outlet("markers", "Markers", (("marker", ""),), text=True)

    def on_sites(self, sites: frozenset[BodySite]) -> None:
        """Streams for each leg that carries a sensor."""
        for side in sorted({site.side for site in sites}):
            self._angles[side] = self._outlet(f"angles_{side}", "MoCap", ANGLE_CHANNELS)
            self._strides[side] = self._outlet(f"strides_{side}", "Gait", STRIDE_CHANNELS)

    def on_estimates(self, estimates: Estimates) -> None:
        """Send what was found."""
        for block in estimates.angles:
            if len(block):
                self._angles[block.side].push_chunk(angle_rows(block), (block.time_s + self._offset_s).tolist())
        for event in estimates.events:
            self._events.push_sample([f"{event.side} {event.kind}"], event.time_s + self._offset_s)
        for stride in estimates.strides:
            if stride.initial_contact_s == stride.initial_contact_s:
                at_s = stride.initial_contact_s + self._offset_s
                self._strides[stride.side].push_sample(stride_row(stride), at_s)

    def on_marker(self, label: str, time_s: float) -> None:
        """Send a marker."""
        self._markers.push_sample([label], time_s + self._offset_s)

    def close(self) -> None:
        """Take the streams from the network, after a moment in which their last values leave."""
        time.sleep(0.2)
        self._angles.clear()
        self._strides.clear()
        del self._events, self._markers

    def _outlet(self, what: str, kind: str, channels: Sequence[tuple[str, str]], *, text: bool = False) -> Any:
        import pylsl

        # No nominal rate: a program that is told one may close up what are gaps.
        info = pylsl.StreamInfo(
            f"subtalar_{what}",
            kind,
            len(channels),
            pylsl.IRREGULAR_RATE,
            pylsl.cf_string if text else pylsl.cf_double64,
            f"{SOURCE_PREFIX} {self._name} {what}",
        )
        described = info.desc()
        listed = described.append_child("channels")
        for label, unit in channels:
            channel = listed.append_child("channel")
            channel.append_child_value("label", label)
            if unit:
                channel.append_child_value("unit", unit)
        made_by = described.append_child("acquisition")
        made_by.append_child_value("manufacturer", "subtalar")
        made_by.append_child_value("software_version", __version__)
        made_by.append_child_value("conventions", "ISB ankle angles; + dorsiflexion, inversion, internal rotation")
        return pylsl.StreamOutlet(info)


def angle_rows(block: AngleBlock) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rows (n, 12) in the order of ``ANGLE_CHANNELS``."""
    return np.column_stack(
        [block.ankle_deg, block.ankle_sd_deg, block.angles_deg[:, FURTHER], block.quality.astype(np.float64)]
    )


def stride_row(stride: Stride) -> list[float]:
    """Values in the order of ``STRIDE_CHANNELS``."""
    measures = [float(getattr(stride, name)) for name in _MEASURES]
    return [*measures, stride.foot_off_s - stride.initial_contact_s, float(stride.quality == "ok")]
