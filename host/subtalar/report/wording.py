"""The plain words of the report: what an angle, a quality label or a sensor is called on the page."""

from collections.abc import Mapping
from typing import Final

from subtalar.anatomy import ANGLES, FURTHER_GROUPS, AngleGroup, PageWords, columns_of
from subtalar.types import BodySite, Quality

TURN: Final = "turn"
"""The estimator's label for a stride in a turn: a real stride, but not one to compare with straight walking."""


WORDS_OF: Final[Mapping[AngleGroup, tuple[PageWords, ...]]] = {
    group: tuple(ANGLES[k].page for k in columns_of(group)) for group in ("ankle", *FURTHER_GROUPS)
}
"""Of the angles of each group, in the order of ``anatomy.ANGLES``."""
ANKLE_WORDS: Final = WORDS_OF["ankle"]

QUALITY_WORDS: Final = {
    Quality.OK: "Measured as intended",
    Quality.PROVISIONAL_ZERO: "Measured as intended, but zero is not quiet standing: nobody stood still",
    Quality.FEW_STRIDES: "Still settling: too few strides had been seen",
    Quality.HEADING_STALE: "Direction of the sensors not renewed by walking for a while",
    Quality.CLIPPED: "Movement beyond the range of a sensor",
    Quality.BRIDGED_GAP: "A short gap was bridged by interpolation",
    Quality.NOT_CALIBRATED: "Before the standing pose and the placement of the sensors were known",
    Quality.NO_DATA: "A sensor gave no data",
}

_BY_LABEL = {quality.label: words for quality, words in QUALITY_WORDS.items()} | {
    TURN: "Turning: the direction of travel changed during the stride"
}


def quality_words(label: str) -> str:
    """Plain words for a quality label of an angle or a stride; an unknown label with its underscores spelled out."""
    return _BY_LABEL.get(label, label.replace("_", " ").capitalize() or "Not told")


def site_words(site: BodySite) -> str:
    """``left foot`` for LEFT_FOOT."""
    return site.value.replace("_", " ")


def count(n: int, noun: str) -> str:
    """``1 stride``, ``2 strides``."""
    return f"{grouped(n)} {noun}{'' if n == 1 else 's'}"


def grouped(n: int) -> str:
    """``9999``, ``10 000`` with a narrow space."""
    return str(n) if n < 10_000 else f"{n:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def duration(seconds: float) -> str:
    """``45 s``, ``3 min 14 s``, ``1 h 2 min``."""
    total = round(seconds)
    hours, minutes = total // 3600, total % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {total % 60} s" if minutes else f"{total} s"


def joined(parts: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
