"""Who and what a session is about: a pseudonymous code, a visit, a condition; and what is refused as one."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from subtalar.errors import InputError
from subtalar.types import SIDES, Side

CONFIGURATION_KEY: Final = "about"
"""Of the recording's configuration."""

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_BIRTHDAY = re.compile(r"((19|20)\d\d[-_]?[01]\d[-_]?[0-3]\d)|([0-3]?\d[-_]?[01]?\d[-_]?(19|20)\d\d)")
_DEVICE_NAME = re.compile(r"(COM|LPT)\d", re.IGNORECASE)
_EXAMPLE = "give a pseudonymous code such as P017"
LONGEST_LABEL: Final = 60
_HEIGHT_RANGE_M = (0.3, 2.6)


@dataclass(frozen=True)
class Assignment:
    """``participant`` is a pseudonymous code; ``visit`` and ``condition`` are labels. Empty: not said."""

    participant: str = ""
    visit: str = ""
    condition: str = ""

    def __bool__(self) -> bool:
        return bool(self.participant or self.visit or self.condition)

    def as_json(self) -> dict[str, str]:
        """What is said, for a configuration or a file."""
        return {k: v for k, v in vars(self).items() if v}


UNASSIGNED: Final = Assignment()


@dataclass(frozen=True)
class Participant:
    """What may be shared of a person. ``affected_sides`` may be empty; ``height_m`` None: not known."""

    code: str
    affected_sides: tuple[Side, ...] = ()
    height_m: float | None = None
    footwear: str = ""


def checked_assignment(
    participant: str | None = None, visit: str | None = None, condition: str | None = None
) -> Assignment:
    """An ``Assignment`` of what a person typed; None and "" are not said. Raises InputError."""
    if visit and not participant:
        raise InputError("A visit is somebody's: give the code of the participant as well.")
    return Assignment(
        checked_code(participant) if participant else "",
        checked_label("visit", visit) if visit else "",
        checked_label("condition", condition) if condition else "",
    )


def checked_code(text: str) -> str:
    """A participant's code in capitals: ``p017`` and ``P017`` are the same person. Raises InputError.

    1 to 32 letters without accents, digits, ``-`` and ``_``, at least one digit among them; what looks like a name,
    an e-mail address or a birthday is refused.
    """
    code = text.strip()
    if "@" in code:
        raise InputError(f"{code!r} looks like an e-mail address: {_EXAMPLE}.")
    if any(c.isspace() for c in code):
        raise InputError(f"{code!r} looks like a name: {_EXAMPLE}.")
    if not _CODE.fullmatch(code):
        raise InputError(
            f"{code!r} is no code: {_EXAMPLE}, of at most 32 letters without accents, digits, - and _, not beginning "
            "with - or _."
        )
    if not any(c.isdigit() for c in code):
        raise InputError(f"{code!r} may be a name, because it has no digit: {_EXAMPLE}.")
    if _BIRTHDAY.fullmatch(code):
        raise InputError(f"{code!r} looks like a date of birth: {_EXAMPLE}.")
    if _DEVICE_NAME.fullmatch(code):
        raise InputError(f"{code!r} cannot be the name of a file on Windows: {_EXAMPLE}.")
    return code.upper()


def checked_label(what: str, text: str) -> str:
    """A visit, condition or footwear as typed, blanks at the ends removed. Raises InputError."""
    label = unicodedata.normalize("NFC", text).strip()
    if not label:
        raise InputError(f"The {what} is empty: give a few words, or leave it out.")
    if len(label) > LONGEST_LABEL:
        raise InputError(f"The {what} has {len(label)} characters: at most {LONGEST_LABEL}; put the rest into a note.")
    if not label.isprintable():
        raise InputError(f"The {what} {label!r} holds a character that cannot be shown: type it again.")
    if re.search(r"\S@\S", label):
        raise InputError(f"The {what} {label!r} looks like an e-mail address: leave out what names a person.")
    return label


def checked_height(height_m: float | None) -> float | None:
    """A height in metres. Raises InputError where it cannot be one."""
    if height_m is not None and not _HEIGHT_RANGE_M[0] <= height_m <= _HEIGHT_RANGE_M[1]:
        hint = f"is it in cm? Then give {height_m / 100:g}" if 30 <= height_m <= 260 else "give metres, such as 1.75"
        raise InputError(f"A height of {height_m:g} m cannot be: {hint}.")
    return height_m


def assignment_in(configuration: Mapping[str, Any]) -> Assignment:
    """What a recording's configuration says; what is not as it should be counts as not said."""
    return assignment_from_json(configuration.get(CONFIGURATION_KEY))


def assignment_from_json(stored: object) -> Assignment:
    """An ``Assignment`` of decoded JSON from a file that somebody else may have changed."""
    if not isinstance(stored, Mapping):
        return Assignment()
    kept = {}
    for key in ("participant", "visit", "condition"):
        try:
            value = stored.get(key)
            if isinstance(value, str) and value:
                kept[key] = checked_code(value) if key == "participant" else checked_label(key, value)
        except InputError:
            continue
    return Assignment(**kept)


def participant_from_json(stored: object) -> Participant:
    """A ``Participant`` of decoded JSON. Raises InputError or ValueError where it is none."""
    if not isinstance(stored, Mapping):
        raise ValueError("no participant")
    height = stored.get("height_m")
    sides = tuple(side for side in SIDES if side in stored.get("affected_sides", ()))
    footwear = str(stored.get("footwear", ""))
    return Participant(
        checked_code(str(stored.get("code", ""))),
        sides,
        checked_height(None if height is None else float(height)),
        checked_label("footwear", footwear) if footwear else "",
    )
