"""What this user's computer remembers of sensors: where each one sits, its rate, ranges and name.

A small JSON file of the user's own, replaced whole and at once. One that cannot be read is kept aside, never lost.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from subtalar.atomic_file import replacing
from subtalar.errors import InputError
from subtalar.places import settings_folder
from subtalar.transport import DeviceSpec, parse_spec
from subtalar.types import BodySite

ENVIRONMENT_VARIABLE: Final = "SUBTALAR_SENSORS"
_FORMAT: Final = "subtalar-sensors"
_VERSION: Final = 1
_SETTINGS: Final = ("rate_hz", "baud_rate", "acc_range_g", "gyr_range_deg_s")


@dataclass(frozen=True)
class RememberedSensor:
    """One sensor. ``spec`` says how it is reached, where it sits and how it is set; ``name`` is the owner's word."""

    spec: DeviceSpec
    name: str = ""


def sensors_file() -> Path:
    """``$SUBTALAR_SENSORS``, else ``sensors.json`` where this system keeps a program's settings. May not exist.

    Raises InputError where there is neither.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        return Path(named).expanduser()
    return settings_folder() / "sensors.json"


class RememberedSensors:
    """All that is remembered. Every change is written at once.

    ``trouble`` is one sentence if the file was damaged and has been put aside, else empty.
    Raises InputError where the file cannot be read or is of a newer version of this program.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or sensors_file()
        self.trouble = ""
        self._sensors: dict[str, RememberedSensor] = {}
        self._load()

    def __iter__(self) -> Iterator[RememberedSensor]:
        """In the order of the places on the leg, those without one last."""
        sites = list(BodySite)
        return iter(
            sorted(self._sensors.values(), key=lambda s: (sites.index(s.spec.site) if s.spec.site else 99, s.spec.key))
        )

    def get(self, spec: DeviceSpec) -> RememberedSensor | None:
        """What is remembered of that device."""
        return self._sensors.get(spec.key)

    def at(self, site: BodySite) -> RememberedSensor | None:
        """The sensor that sits there."""
        return next((s for s in self._sensors.values() if s.spec.site == site), None)

    def sited(self) -> tuple[DeviceSpec, ...]:
        """The specs of all sensors that have a place."""
        return tuple(sensor.spec for sensor in self if sensor.spec.site is not None)

    def remember(self, spec: DeviceSpec, name: str | None = None) -> RememberedSensor | None:
        """Put the sensor in place of what was remembered of it; a site or number that is None keeps the old one.

        Returns the other sensor that has lost its place to this one, if there was one. Raises InputError where the
        file cannot be written; then nothing has changed.
        """
        before = self.get(spec)
        if before is not None:
            spec = replace(spec, site=spec.site or before.spec.site)
            if before.spec.model == spec.model:
                spec = replace(spec, **{key: _first(spec, before.spec, key) for key in _SETTINGS})
            name = before.name if name is None else name
        sensors = dict(self._sensors)
        displaced = None if spec.site is None else self.at(spec.site)
        if displaced is not None and displaced.spec.key != spec.key:
            sensors[displaced.spec.key] = replace(displaced, spec=replace(displaced.spec, site=None))
        else:
            displaced = None
        sensors[spec.key] = RememberedSensor(spec, name or "")
        self._write(sensors)
        return displaced

    def forget(self, spec: DeviceSpec) -> bool:
        """Remember nothing of that device any more; False if there was nothing. Raises InputError as ``remember``."""
        sensors = dict(self._sensors)
        if sensors.pop(spec.key, None) is None:
            return False
        self._write(sensors)
        return True

    def complete(self, text: str) -> str:
        """A device spec as a person wrote it, with what is remembered where it says nothing.

        A place on the leg alone stands for the sensor that sits there; raises InputError if none does.
        """
        text = text.strip()
        if text in list(BodySite):
            there = self.at(BodySite(text))
            if there is None:
                raise InputError(
                    f"No sensor is remembered for {text}: say which one with 'subtalar devices assign {text} SPEC'."
                )
            return str(there.spec)
        head, *options = text.split(",")
        site, equals, target = head.partition("=")
        if not equals or ":" in site:
            site, target = "", head
        sensor = self._sensors.get(target.strip().lower())
        if sensor is None:
            return text
        given = {option.partition("=")[0].strip(): option for option in options}
        stored = dict(option.partition("=")[::2] for option in str(replace(sensor.spec, site=None)).split(",")[1:])
        if given.get("model", f"model={stored['model']}").partition("=")[2].strip() != stored["model"]:
            stored = {}  # another model is given: the stored settings are not its
        added = [f"{key}={value}" for key, value in stored.items() if key not in given]
        place = site or (sensor.spec.site or "")
        return ",".join([f"{place}={target}" if place else target, *options, *added])

    # The file ---------------------------------------------------------------------------------------------

    def _load(self) -> None:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except UnicodeDecodeError:
            text = ""
        except OSError as error:
            raise InputError(f"The remembered sensors in {self.path} cannot be read ({error.strerror}).") from error
        try:
            document = json.loads(text)
            version = document["version"]
            if document["format"] != _FORMAT or type(version) is not int:
                raise ValueError(version)
            if version <= _VERSION:
                entries = ((parse_spec(e["spec"], need_site=False), str(e["name"])) for e in document["sensors"])
                self._sensors = {spec.key: RememberedSensor(spec, name) for spec, name in entries}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InputError):
            self._put_aside()
            return
        if version > _VERSION:
            raise InputError(f"The remembered sensors in {self.path} are of a newer subtalar: update this one.")

    def _put_aside(self) -> None:
        kept = self.path.with_name(f"{self.path.name}.damaged")
        number = 2
        while kept.exists():
            kept = self.path.with_name(f"{self.path.name}.damaged{number}")
            number += 1
        try:
            self.path.rename(kept)
        except OSError as error:
            raise InputError(f"The remembered sensors in {self.path} are damaged: remove that file.") from error
        self.trouble = f"The remembered sensors were damaged; the file is kept as {kept}: assign the sensors again."

    def _write(self, sensors: Mapping[str, RememberedSensor]) -> None:
        document = {
            "format": _FORMAT,
            "version": _VERSION,
            "sensors": [{"spec": str(sensor.spec), "name": sensor.name} for sensor in sensors.values()],
        }
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with replacing(self.path) as file:
                file.write(text)
        except OSError as error:
            raise InputError(
                f"The sensors cannot be remembered in {self.path} ({error.strerror}): "
                f"set {ENVIRONMENT_VARIABLE} to a file that you may write."
            ) from error
        self._sensors = dict(sensors)


def _first(new: DeviceSpec, old: DeviceSpec, key: str) -> Any:
    value = getattr(new, key)
    return getattr(old, key) if value is None else value
