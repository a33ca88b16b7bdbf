"""Which of the sensors of an export sits where: as ``sensorspec.json`` says, else as names say."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subtalar.anatomy import SEGMENTS, SIDES
from subtalar.errors import InputError
from subtalar.session.importing.spec_file import read_json_object
from subtalar.types import BodySite, Segment, Side

SPEC_NAME = "sensorspec.json"
CLOCKS_KEY = "clocks"
CLOCKS = ("shared", "started_together")
_SHOWN_SITES = tuple(BodySite.of(side, segment) for side in reversed(SIDES) for segment in SEGMENTS)

_SIDES: Mapping[str, Side] = {
    **dict.fromkeys(("right", "rechts", "rechter", "rechte", "droite", "droit", "rt", "r"), "right"),
    **dict.fromkeys(("left", "links", "linker", "linke", "gauche", "lt", "l"), "left"),
}
_SEGMENTS: Mapping[str, Segment] = {word: segment for segment, facts in SEGMENTS.items() for word in facts.words}
_JOINED = re.compile(
    rf"^({'|'.join(sorted(_SIDES, key=len, reverse=True))})({'|'.join(_SEGMENTS)})$"
    rf"|^({'|'.join(_SEGMENTS)})({'|'.join(sorted(_SIDES, key=len, reverse=True))})$"
)


@dataclass(frozen=True)
class Candidate:
    """A sensor of an export: where its samples are, and what else it is called (device tag, serial number)."""

    path: Path
    name: str
    also: tuple[str, ...] = ()


def read_spec(folder: Path) -> dict[str, Any] | None:
    """``sensorspec.json`` of a folder; None where there is none. Raises InputError where it is not JSON."""
    path = folder / SPEC_NAME
    return read_json_object(path, f"{folder.name}/{SPEC_NAME}") if path.is_file() else None


def stated_clocks(folder: Path, spec: Mapping[str, Any] | None) -> str | None:
    """What the user says of the sensors' clocks. Raises InputError where it is no word of ``CLOCKS``."""
    value = None if spec is None else spec.get(CLOCKS_KEY)
    if value is not None and value not in CLOCKS:
        raise InputError(
            f'{folder.name}/{SPEC_NAME}: "{CLOCKS_KEY}" must be "{CLOCKS[0]}" or "{CLOCKS[1]}"; correct it or '
            "take it out."
        )
    return value


def assign_sites(
    folder: Path, candidates: Sequence[Candidate], spec: Mapping[str, Any] | None
) -> tuple[dict[BodySite, Candidate], tuple[str, ...]]:
    """Where each sensor sits, and sentences about those that are not used. Raises InputError where it is not known."""
    chosen = _sites_by_name(folder, candidates) if spec is None else _sites_by_spec(folder, candidates, spec)
    unused = [c.name for c in candidates if c not in chosen.values()]
    notes = (f"Not used: {', '.join(unused)}.",) if unused else ()
    return chosen, notes


def site_of_name(name: str) -> BodySite | None:
    """The site that a name such as ``DOT_Shank_R`` or ``RTibia`` tells of; None where it tells none, or two."""
    words = _words(name)
    sides = {_SIDES[w] for w in words if w in _SIDES}
    segments = {_SEGMENTS[w] for w in words if w in _SEGMENTS}
    return BodySite.of(sides.pop(), segments.pop()) if len(sides) == len(segments) == 1 else None


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"([a-z])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3 \2\4", plain).lower()
    plain = re.sub(r"lower[\W_]*leg", "lowerleg", plain)
    words = []
    for word in re.split(r"[\W\d_]+", plain):
        joined = _JOINED.match(word)
        words.extend([part for part in joined.groups() if part] if joined else [word])
    return words


def _sites_by_name(folder: Path, candidates: Sequence[Candidate]) -> dict[BodySite, Candidate]:
    chosen: dict[BodySite, Candidate] = {}
    for candidate in candidates:
        named = {site_of_name(n) for n in (candidate.name, *candidate.also)} - {None}
        if len(named) > 1:
            raise InputError(
                f"{folder.name}: {candidate.name} and what its device is called ({', '.join(candidate.also)}) name "
                f"different places: {_spec_example(candidates)}"
            )
        for site in named:
            assert site is not None
            if site in chosen:
                raise InputError(
                    f"{folder.name} holds two sensors of the {site.value.replace('_', ' ')} ({chosen[site].name} and "
                    f"{candidate.name}): keep one trial a folder, or {_spec_example(candidates)}"
                )
            chosen[site] = candidate
    if not chosen:
        raise InputError(f"{folder.name} does not tell which sensor sits where: {_spec_example(candidates)}")
    return chosen


def _spec_example(candidates: Sequence[Candidate]) -> str:
    example = {site.value: c.name for site, c in zip(_SHOWN_SITES, candidates, strict=False)}
    return (
        f"write into it a file {SPEC_NAME} with the line {json.dumps(example, ensure_ascii=False)}, each place with "
        "its own sensor."
    )


def _sites_by_spec(folder: Path, candidates: Sequence[Candidate], spec: Mapping[str, Any]) -> dict[BodySite, Candidate]:
    where = f"{folder.name}/{SPEC_NAME}"
    chosen: dict[BodySite, Candidate] = {}
    sites = {site.value.replace("_", ""): site for site in BodySite}
    for key, value in spec.items():
        if key == CLOCKS_KEY:
            continue
        site = sites.get(key.replace("_", "").lower())
        if site is None:
            raise InputError(f'{where}: unknown sensor "{key}": known are {", ".join(BodySite)}.')
        if not isinstance(value, str) or not value.strip():
            raise InputError(f'{where}: "{key}" must name a sensor, such as "{candidates[0].name}".')
        found = _find(value, candidates)
        if len(found) != 1:
            many = "more than one sensor" if found else "no sensor"
            raise InputError(
                f"{where} names {value} for {key}, and {many} here is called so: write one of "
                f"{', '.join(c.name for c in candidates)}."
            )
        if site in chosen or found[0] in chosen.values():
            raise InputError(f"{where} names a place or a sensor twice ({key}, {value}): give each its own.")
        chosen[site] = found[0]
    if not chosen:
        raise InputError(f"{where} names no sensor: {_spec_example(candidates)}")
    return chosen


def _find(value: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    def plain(text: str) -> str:
        return re.sub(r"\.csv(\.gz)?$", "", unicodedata.normalize("NFC", text).casefold().strip())

    wanted = plain(value)
    exact = [c for c in candidates if wanted in (plain(c.name), *map(plain, c.also))]
    return exact or [c for c in candidates if any(wanted in plain(n) for n in (c.name, *c.also))]
