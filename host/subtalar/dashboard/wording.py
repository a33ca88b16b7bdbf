"""The words on the screen: what the angles, states and columns are called, for people who do not read code."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from subtalar.types import BodySite, Ledger, LinkState, Quality, Segment, Side, Stride

Severity = Literal["ok", "waiting", "problem", "off"]


@dataclass(frozen=True)
class AngleWords:
    """Names of an angle and of its two directions."""

    title: str
    plus: str
    plus_means: str
    minus: str
    minus_means: str


ANGLES: Final = (
    AngleWords("Dorsiflexion", "dorsiflexion", "toes up", "plantarflexion", "toes down"),
    AngleWords("Inversion", "inversion", "sole turns in", "eversion", "sole turns out"),
    AngleWords("Tibial rotation", "internal", "tibia turns in", "external", "tibia turns out"),
)
"""In the order of ``conventions.ANGLE_NAMES``."""

SIGNALS: Final = (
    *ANGLES,
    AngleWords("Subtalar axis", "supination", "about its axis", "pronation", "about its axis"),
    AngleWords("Foot pitch", "toes up", "to the floor", "toes down", "to the floor"),
    AngleWords("Foot inversion", "sole inwards", "to the floor", "sole outwards", "to the floor"),
    AngleWords("Shank lean", "forward", "knee before ankle", "backward", "knee behind ankle"),
    AngleWords("Shank tilt", "knee inwards", "to the midline", "knee outwards", "from the midline"),
)
"""All that can be shown over time: the ankle angles, then those of ``conventions.FURTHER_ANGLE_NAMES``."""

SIGNALS_OF: Final[dict[Segment | None, tuple[int, ...]]] = {None: (0, 1, 2), "foot": (4, 5), "shank": (6, 7)}
"""What a leg shows, by its only sensor; None for a leg with both."""

SIDE_WORDS: Final[dict[Side, str]] = {"left": "Left", "right": "Right"}

QUALITY_WORDS: Final[dict[Quality, str]] = {
    Quality.OK: "",
    Quality.FEW_STRIDES: "few strides yet",
    Quality.HEADING_STALE: "direction uncertain",
    Quality.CLIPPED: "sensor overloaded",
    Quality.BRIDGED_GAP: "samples lost",
    Quality.NOT_CALIBRATED: "not calibrated yet",
    Quality.NO_DATA: "no data",
}

LINK_WORDS: Final[dict[LinkState, tuple[str, Severity]]] = {
    "idle": ("not connected", "off"),
    "connecting": ("connecting", "waiting"),
    "streaming": ("streaming", "ok"),
    "silent": ("no data", "problem"),
    "reconnecting": ("reconnecting", "problem"),
    "ended": ("ended", "off"),
}


def site_words(site: BodySite) -> str:
    """``Left foot``."""
    return f"{SIDE_WORDS[site.side]} {site.segment}"


def about_text(participant: str, visit: str, condition: str) -> str:
    """Whose session it is, such as ``P017 · baseline · barefoot``; empty where nobody said."""
    return " · ".join(word for word in (participant, visit, condition) if word)


def is_replay(source: str) -> bool:
    """Whether the samples come from a recording, by the phrase that names the source."""
    return source.startswith("replay")


def lost_share(ledger: Ledger) -> float:
    """Lost samples among those that were sent, 0 to 1."""
    total = ledger.received + ledger.lost
    return ledger.lost / total if total else 0.0


def lost_words(share: float, estimated: bool = False) -> str:
    """``no samples lost``, ``0.3 % of samples lost``. Nothing lost and hardly anything lost are not the same, nor
    nothing lost and nothing noticed.
    """
    if not share:
        return "no loss noticed" if estimated else "no samples lost"
    about = "about " if estimated else ""
    return f"{about}{100 * share:.1f} % of samples lost" if share >= 0.0005 else "under 0.1 % of samples lost"


def angle_text(value_deg: float) -> str:
    """``+12.3°``, with a real minus sign."""
    return f"{value_deg:+.1f}°".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")


def direction_text(index: int, value_deg: float) -> str:
    """``eversion 7°``: the angle in words without a sign."""
    words = SIGNALS[index]
    return f"{words.plus if value_deg >= 0 else words.minus} {abs(value_deg):.0f}°"


def clock_text(seconds: float) -> str:
    """``2:05`` or ``1:02:05``."""
    whole = max(int(seconds), 0)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def size_text(n_bytes: int) -> str:
    """``12.3 MB``."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.2f} GB"


_STRIDE_QUALITY: Final = {
    "": "ok",
    "few_strides": "settling",
    "heading_stale": "uncertain",
    "clipped": "overloaded",
    "bridged_gap": "short gap",
    "not_calibrated": "uncalibrated",
}
"""One or two short words: they must fit a narrow column."""


def quality_text(quality: str) -> str:
    """A stride's quality as a person reads it in a table: ``few_strides`` → ``settling``."""
    return _STRIDE_QUALITY.get(quality, quality.replace("_", " "))


def quality_help(quality: str) -> str:
    """The same at length: ``few_strides`` → ``few strides yet``."""
    labels = {q.label: words or "measured as intended" for q, words in QUALITY_WORDS.items()}
    labels["turn"] = "the direction of travel changed"
    return labels.get(quality, quality_text(quality))


_IN_FULL: Final = {
    "excurs.": "excursion",
    "ev.": "eversion",
    "vel.": "velocity",
    "tib.": "tibial",
    "rot.": "rotation",
    "ev./tib.": "eversion to tibial rotation",
    "dorsifl.": "dorsiflexion",
    "progr.": "progression",
}


@dataclass(frozen=True)
class StrideColumn:
    """A column of the stride table. ``title`` may have two lines; ``essential`` ones stay when there is little room."""

    title: str
    unit: str
    value: Callable[[Stride], float]
    digits: int
    help: str
    essential: bool = True

    @property
    def name(self) -> str:
        """The title in one line and in full, for a sentence."""
        words = (_IN_FULL.get(word, word) for word in self.title.lower().split())
        return " ".join(words)

    def text(self, number: float) -> str:
        """The number as shown; a dash when it is not known."""
        return _decimal(number, self.digits)

    def mean_text(self, mean: float, sd: float) -> str:
        """``61 ± 2``; with one more digit where the spread would read as none at all."""
        if math.isnan(sd):
            return self.text(mean)
        digits = self.digits + (0 < sd < 0.5 * 10.0**-self.digits)
        return f"{_decimal(mean, digits)}\u2009±\u2009{_decimal(sd, digits)}"


def _decimal(number: float, digits: int) -> str:
    return "–" if math.isnan(number) else f"{number:.{digits}f}".replace("-", "−")


STRIDE_COLUMNS: Final = (
    StrideColumn("Stride\ntime", "s", lambda s: s.stride_time_s, 2, "Initial contact to the next of the same foot"),
    StrideColumn("\nStance", "%", lambda s: 100 * s.stance_ratio, 0, "Share of the stride with the foot on the ground"),
    StrideColumn("Stride\nlength", "m", lambda s: s.stride_length_m, 2, "Distance between two contacts"),
    StrideColumn("Peak\neversion", "°", lambda s: s.peak_eversion_deg, 1, "Largest eversion in stance"),
    StrideColumn("Eversion\nexcurs.", "°", lambda s: s.eversion_excursion_deg, 1, "Eversion from contact to its peak"),
    StrideColumn("Peak ev.\ntime", "%", lambda s: s.time_to_peak_eversion_pct, 0, "When in stance eversion is largest"),
    StrideColumn(
        "Eversion\nvel.", "°/s", lambda s: s.peak_eversion_velocity_deg_s, 0, "Fastest eversion in stance", False
    ),
    StrideColumn(
        "Tib. rot.\nexcurs.", "°", lambda s: s.tibial_rotation_excursion_deg, 1, "Range of tibial rotation in stance"
    ),
    StrideColumn("Ev./tib.\nratio", "", lambda s: s.eversion_tibial_coupling, 2, "Eversion per tibial rotation", False),
    StrideColumn("Peak\ndorsifl.", "°", lambda s: s.peak_dorsiflexion_deg, 1, "Largest dorsiflexion in stance"),
    StrideColumn(
        "Strike\nangle", "°", lambda s: s.foot_strike_angle_deg, 0, "Foot against the ground at contact, + heel first"
    ),
    StrideColumn(
        "Foot\nprogr.", "°", lambda s: s.foot_progression_deg, 0, "Foot against the direction of travel", False
    ),
    StrideColumn("Tibial\nshock", "g", lambda s: s.peak_tibial_acceleration_g, 1, "Peak acceleration of the shank"),
)


def ledger_words(ledger: Ledger) -> str:
    """All that is known of a sensor's link, a line each."""
    lines = [
        f"{ledger.received:,} samples received".replace(",", " "),
        lost_words(lost_share(ledger), ledger.lost_is_estimated),
        f"{ledger.duplicated} repeated, {ledger.corrupt_bytes} damaged bytes",
        f"connected again {ledger.reconnects} times" if ledger.reconnects != 1 else "connected again once",
    ]
    if ledger.delay_ms is not None:
        lines.append(f"{ledger.delay_ms:.0f} ms later than the fastest samples")
    if ledger.clock_drift_ppm is not None:
        lines.append(f"clock {ledger.clock_drift_ppm:+.0f} millionths against the computer's")
    if ledger.clock_jumps:
        times = "once" if ledger.clock_jumps == 1 else f"{ledger.clock_jumps} times"
        lines.append(f"its clock jumped or began anew {times}")
    return "\n".join(lines)
