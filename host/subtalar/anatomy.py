"""The body as data: sides, segments, places of sensors, joints, and every angle with its signs and its words.

One entry in ``ANGLES`` is one more angle in estimates, shared memory, recordings, tables, exports, report and window;
two members of ``BodySite`` and an entry in ``SEGMENTS`` are one more segment whose samples are measured, recorded and
exported. What an angle is computed from is the estimator's business (``estimation/angles``): what it does not know
stays empty. Definitions and signs: ``conventions.py``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, get_args

Side = Literal["left", "right"]
SIDES: Final[tuple[Side, Side]] = ("left", "right")
Segment = Literal["foot", "shank"]


class BodySite(StrEnum):
    """Where a sensor sits on the body. The value is the key used in files."""

    LEFT_FOOT = "left_foot"
    LEFT_SHANK = "left_shank"
    RIGHT_FOOT = "right_foot"
    RIGHT_SHANK = "right_shank"

    @property
    def side(self) -> Side:
        """``left`` or ``right``."""
        return "left" if self.value.startswith("left") else "right"

    @property
    def segment(self) -> Segment:
        """``foot`` or ``shank``."""
        return _SEGMENT_OF[self.value.partition("_")[2]]

    @classmethod
    def of(cls, side: Side, segment: Segment) -> "BodySite":
        """The site on that side and segment."""
        return cls(f"{side}_{segment}")


_SEGMENT_OF: Final[Mapping[str, Segment]] = {name: name for name in get_args(Segment)}


@dataclass(frozen=True)
class SegmentFacts:
    """``words``: what exports of other programs call the segment, in lower case without spaces."""

    words: tuple[str, ...]


SEGMENTS: Final[Mapping[Segment, SegmentFacts]] = {
    "foot": SegmentFacts(("foot", "feet", "shoe", "fuss", "schuh", "pied", "voet")),
    "shank": SegmentFacts(
        ("shank", "shin", "tibia", "calf", "lowerleg", "unterschenkel", "jambe", "scheen"),
    ),
}
"""From the ground up."""


@dataclass(frozen=True)
class Joint:
    """Two segments that meet: its angles are those of the distal relative to the proximal one."""

    proximal: Segment
    distal: Segment

    def other(self, segment: Segment) -> Segment | None:
        """The segment that meets this one here; None where it is no part of the joint."""
        return {self.proximal: self.distal, self.distal: self.proximal}.get(segment)


JOINTS: Final[Mapping[str, Joint]] = {"ankle": Joint(proximal="shank", distal="foot")}

ANKLE_SEGMENTS: Final = (JOINTS["ankle"].distal, JOINTS["ankle"].proximal)
"""The segments that the estimator measures; sensors elsewhere are recorded and exported."""


def measured_sides(sites: Iterable[BodySite]) -> tuple[Side, ...]:
    """The legs with at least one sensor that angles come from."""
    found = {site.side for site in sites if site.segment in ANKLE_SEGMENTS}
    return tuple(side for side in SIDES if side in found)


def only_segment(sites: Iterable[BodySite], side: Side) -> Segment | None:
    """The segment that carries the only sensor of that leg that angles come from; None where both do, or none does."""
    segments = [site.segment for site in sites if site.side == side and site.segment in ANKLE_SEGMENTS]
    return segments[0] if len(segments) == 1 else None


AngleGroup = Literal["ankle", "subtalar", "foot", "shank"]
"""Angles that are known together."""

GROUP_NEEDS: Final[Mapping[AngleGroup, tuple[Segment, ...]]] = {
    "ankle": ("foot", "shank"),
    "subtalar": ("foot", "shank"),
    "foot": ("foot",),
    "shank": ("shank",),
}
"""The segments of a leg that must carry a sensor."""


@dataclass(frozen=True)
class AngleWords:
    """A name, and for either direction its word and what it means."""

    title: str
    plus: str
    plus_means: str
    minus: str
    minus_means: str


@dataclass(frozen=True)
class PageWords:
    """Name of an angle on the page of a report, and what its two directions are."""

    name: str
    plus: str
    minus: str


@dataclass(frozen=True)
class Angle:
    """One angle, in degrees. ``meaning`` and ``sign`` (of +) stand in data dictionaries, ``live`` in the window,
    ``page`` in the report. ``recorded_as``: number of its own field in recordings, its standard deviation's is the
    next one; None for those that format version 1 began with.
    """

    name: str
    group: AngleGroup
    meaning: str
    sign: str
    live: AngleWords
    page: PageWords
    recorded_as: int | None = None


ANGLES: Final[tuple[Angle, ...]] = (
    Angle(
        "dorsiflexion",
        "ankle",
        "Ankle, foot relative to shank, first of the Cardan angles Z-X'-Y'' (ISB).",
        "toes up",
        AngleWords("Dorsiflexion", "dorsiflexion", "toes up", "plantarflexion", "toes down"),
        PageWords("Dorsiflexion", "toes up", "toes down (plantarflexion)"),
    ),
    Angle(
        "inversion",
        "ankle",
        "Ankle, foot relative to shank, second of the Cardan angles Z-X'-Y'' (ISB).",
        "sole to the midline",
        AngleWords("Inversion", "inversion", "sole turns in", "eversion", "sole turns out"),
        PageWords("Inversion", "inversion (supination)", "eversion (pronation)"),
    ),
    Angle(
        "tibial_rotation",
        "ankle",
        "Ankle, third of the Cardan angles Z-X'-Y'' (ISB): tibia relative to the foot.",
        "tibia rotates internally",
        AngleWords("Tibial rotation", "internal", "tibia turns in", "external", "tibia turns out"),
        PageWords("Tibial rotation", "internal", "external"),
    ),
    Angle(
        "subtalar",
        "subtalar",
        "Turn of the foot about the subtalar axis of a mean foot.",
        "supination",
        AngleWords("Subtalar axis", "supination", "about its axis", "pronation", "about its axis"),
        PageWords("About the subtalar axis", "supination", "pronation"),
    ),
    Angle(
        "foot_pitch",
        "foot",
        "Foot to the floor.",
        "toes up",
        AngleWords("Foot pitch", "toes up", "to the floor", "toes down", "to the floor"),
        PageWords("Foot pitch", "toes up", "toes down"),
    ),
    Angle(
        "foot_inversion",
        "foot",
        "Foot to the floor.",
        "sole to the midline",
        AngleWords("Foot inversion", "sole inwards", "to the floor", "sole outwards", "to the floor"),
        PageWords("Foot inversion", "sole to the midline", "sole outwards"),
    ),
    Angle(
        "shank_sagittal",
        "shank",
        "Shank to the vertical in the sagittal plane.",
        "leaning forward",
        AngleWords("Shank lean", "forward", "knee before ankle", "backward", "knee behind ankle"),
        PageWords("Shank lean", "forward, knee before ankle", "backward"),
    ),
    Angle(
        "shank_frontal",
        "shank",
        "Shank to the vertical in the frontal plane.",
        "knee to the midline",
        AngleWords("Shank tilt", "knee inwards", "to the midline", "knee outwards", "from the midline"),
        PageWords("Shank tilt", "knee to the midline", "knee outwards"),
    ),
)
"""In the order of the last axis of every angle array. The three of the ankle stand first."""

ANGLE_NAMES: Final = tuple(angle.name for angle in ANGLES)
ANGLE_COUNT: Final = len(ANGLES)


def columns_of(group: AngleGroup) -> tuple[int, ...]:
    """Where the angles of a group stand on the last axis of an angle array."""
    return tuple(k for k, angle in enumerate(ANGLES) if angle.group == group)


def angle_index(name: str) -> int:
    """Where an angle stands on the last axis of an angle array. Raises ValueError for a name that is none."""
    return ANGLE_NAMES.index(name)


ANKLE: Final = slice(0, len(columns_of("ankle")))
"""The angles of the ankle joint (ISB joint coordinate system) on the last axis of an angle array."""
ANKLE_NAMES: Final = ANGLE_NAMES[ANKLE]
ANKLE_COUNT: Final = len(ANKLE_NAMES)
FURTHER: Final = slice(ANKLE_COUNT, ANGLE_COUNT)
"""All others: tables tell them after the quality."""
FURTHER_NAMES: Final = ANGLE_NAMES[FURTHER]
FURTHER_GROUPS: Final[tuple[AngleGroup, ...]] = tuple(dict.fromkeys(angle.group for angle in ANGLES[FURTHER]))
