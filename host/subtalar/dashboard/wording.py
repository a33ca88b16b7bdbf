"""The words on the screen: what the angles, states and columns are called, for people who do not read code."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from subtalar.anatomy import ANGLES, columns_of
from subtalar.strides import MEASURES, Measure, TableHead
from subtalar.types import BodySite, Ledger, LinkState, Quality, Segment, Side, Stride

Severity = Literal["ok", "waiting", "problem", "off"]
"""Of a sensor or a session."""
Level = Literal["info", "advice", "problem", "done"]
"""Of the instruction."""

SIGNALS: Final = tuple(angle.live for angle in ANGLES)
"""All that can be shown over time, in the order of ``anatomy.ANGLES``."""

SIGNALS_OF: Final[dict[Segment | None, tuple[int, ...]]] = {
    None: columns_of("ankle"),
    "foot": columns_of("foot"),
    "shank": columns_of("shank"),
}
"""What a leg shows, by its only sensor; None for a leg with both."""

SIDE_WORDS: Final[dict[Side, str]] = {"left": "Left", "right": "Right"}

QUALITY_WORDS: Final[dict[Quality, str]] = {
    Quality.OK: "",
    Quality.PROVISIONAL_ZERO: "zero from the walk",
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


def owner_text(participant: str, visit: str, condition: str) -> str:
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
    "provisional_zero": "zero open",
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
    """A measure as a column of the stride table."""

    measure: Measure
    head: TableHead

    @property
    def title(self) -> str:
        """May have two lines."""
        return self.head.title

    @property
    def unit(self) -> str:
        """``%`` of what, its help says; there is no room in the head."""
        return self.measure.unit.partition(" ")[0]

    @property
    def essential(self) -> bool:
        """Whether it stays when there is little room."""
        return self.head.essential

    @property
    def help(self) -> str:
        """A phrase on what is measured."""
        return self.head.help

    def value(self, stride: Stride) -> float:
        """The number, in ``unit``."""
        return self.measure.shown * self.measure.value(stride)

    @property
    def name(self) -> str:
        """The title in one line and in full, for a sentence."""
        words = (_IN_FULL.get(word, word) for word in self.title.lower().split())
        return " ".join(words)

    def text(self, number: float) -> str:
        """The number as shown; a dash when it is not known."""
        return _decimal(number, self.head.decimals)

    def mean_text(self, mean: float, sd: float) -> str:
        """``61 ± 2``; with one more digit where the spread would read as none at all."""
        if math.isnan(sd):
            return self.text(mean)
        digits = self.head.decimals + (0 < sd < 0.5 * 10.0**-self.head.decimals)
        return f"{_decimal(mean, digits)}\u2009±\u2009{_decimal(sd, digits)}"


def _decimal(number: float, digits: int) -> str:
    return "–" if math.isnan(number) else f"{number:.{digits}f}".replace("-", "−")


STRIDE_COLUMNS: Final = tuple(StrideColumn(m, m.live) for m in MEASURES if m.live is not None)


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
