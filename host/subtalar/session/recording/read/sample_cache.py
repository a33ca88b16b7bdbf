"""Samples of a recording that was read before, as arrays on the disk: an hour opens in a second instead of many.

An entry is found by the content of the whole recording (BLAKE2b), so that it can never stand for another one, and its
arrays carry checksums of their own. Only whole, closed recordings get one. Everything here may be deleted at any time.
Entries hold what a recording holds: they are the owner's alone, and whoever erases a recording erases its entry with
``forget``.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from subtalar.errors import InputError
from subtalar.places import cache_folder as usual_cache_folder
from subtalar.session.recording.format.messages import ArrivedBlock
from subtalar.types import BodySite, FloatArray, SampleBlock

ENVIRONMENT_VARIABLE: Final = "SUBTALAR_CACHE"
LIMIT_BYTES: Final = 4 * 2**30
"""Some eighteen hours; the entries that were not used for longest go first."""
SMALLEST_BYTES: Final = 4_000_000
"""A shorter recording is read as quickly as its entry."""
_VERSION: Final = 1
_FACTS: Final = "facts.json"
_BLOCK_ROW: Final = np.dtype([("sequence", "<i8"), ("arrival_s", "<f8"), ("site", "<i4"), ("length", "<i4")])
_STEP: Final = 2**22
_ABANDONED_S: Final = 3600.0
_COLUMNS: Final = {"device_time_s": 1, "host_time_s": 1, "acc_m_s2": 3, "gyr_rad_s": 3}


def cache_folder() -> Path:
    """``$SUBTALAR_CACHE``, else ``subtalar`` where the system keeps a user's caches. It need not exist.

    Raises FileNotFoundError where there is neither: a cache is no reason to stop.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        return Path(named).expanduser()
    try:
        return usual_cache_folder()
    except InputError as error:
        raise FileNotFoundError(str(error)) from error


def content_key(path: Path) -> str:
    """What stands for the content of a file. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.blake2b(digest_size=20)
        while data := file.read(_STEP):
            digest.update(data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Columns:
    """All samples of one sensor; None for a time that it did not have."""

    device_time_s: FloatArray | None
    host_time_s: FloatArray | None
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray

    def block(self, site: BodySite, start: int, stop: int) -> SampleBlock:
        """Samples ``start`` to ``stop``."""
        device, host = self.device_time_s, self.host_time_s
        return SampleBlock(
            site,
            None if device is None else device[start:stop],
            None if host is None else host[start:stop],
            self.acc_m_s2[start:stop],
            self.gyr_rad_s[start:stop],
        )


class CachedSamples:
    """What ``reader.read_blocks`` gives of a recording, from arrays."""

    def __init__(self, facts: dict[str, Any], rows: npt.NDArray[np.void], columns: dict[BodySite, Columns]) -> None:
        self.facts = facts
        self._rows = rows
        self._columns = columns
        self._sites = [BodySite(site) for site in facts["sites"]]

    def blocks(self, block_s: float | None) -> Iterator[SampleBlock]:
        """As ``Session.blocks``, bit for bit and block for block."""
        rows, n_sites = self._rows, len(self._sites)
        if not len(rows):
            return
        if block_s is None:
            window = np.arange(len(rows))
        else:
            # A block that is late to its window goes into the one that is open.
            window = np.maximum.accumulate(np.floor(rows["arrival_s"] / block_s))
        cuts = np.concatenate(([0], np.flatnonzero(np.diff(window)) + 1, [len(rows)]))
        lengths, site = rows["length"].astype(np.int64), rows["site"]
        position = [0] * n_sites
        for a, b in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            here = site[a:b]
            found, first = np.unique(here, return_index=True)
            taken = np.bincount(here, weights=lengths[a:b], minlength=n_sites)
            for k in found[np.argsort(first)].tolist():
                start = position[k]
                position[k] = start + int(taken[k])
                yield self._columns[self._sites[k]].block(self._sites[k], start, position[k])


def find(path: Path) -> CachedSamples | None:
    """The entry of a recording; None where there is none, or it cannot be used."""
    try:
        entry = cache_folder() / content_key(path)
        if not (entry / _FACTS).is_file():
            return None
        samples = _load(entry)
        os.utime(entry)  # used now
        return samples
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fill(path: Path, arrived: Iterator[ArrivedBlock], facts: Mapping[str, Any]) -> CachedSamples | None:
    """Make the entry of a recording from what ``read_blocks`` gives; ``facts`` come back with it (JSON).

    None where there is no room or no right to write, or where a sensor's blocks differ in the times they carry.
    """
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(folder).free < 8 * path.stat().st_size:
            return None
        _remove_abandoned(folder)
        staging = Path(tempfile.mkdtemp(prefix=".", dir=folder))  # for its owner only
    except OSError:
        return None
    try:
        key = content_key(path)
        if not _write(staging, arrived, {**facts, "place": str(path.absolute())}) or content_key(path) != key:
            return None
        entry = folder / key
        with contextlib.suppress(OSError):  # another analysis may have been quicker
            staging.rename(entry)
        _keep_within(LIMIT_BYTES, entry)
        return _load(entry)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def forget(recording_ids: Collection[str] = (), paths: Collection[Path] = ()) -> int:
    """Remove the entries of recordings: by id, by the files while they exist, or by where they stood when they were
    read; how many there were.
    """
    entries = _entries()
    if not entries:
        return 0
    keys, places = set(), {str(path.absolute()) for path in paths}
    for path in paths:
        with contextlib.suppress(OSError):
            keys.add(content_key(path))
    removed = 0
    for entry in entries:
        facts = _facts_in(entry)
        if entry.name in keys or facts.get("recording_id") in recording_ids or facts.get("place") in places:
            shutil.rmtree(entry, ignore_errors=True)
            removed += not entry.exists()
    return removed


def clear() -> None:
    """Remove every entry."""
    for entry in _entries():
        shutil.rmtree(entry, ignore_errors=True)


class _Column:
    """One array in the making."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._crc = 0

    def append(self, values: npt.NDArray[Any]) -> None:
        data = np.ascontiguousarray(values).tobytes()
        self._crc = zlib.crc32(data, self._crc)
        self._file.write(data)

    def close(self) -> int:
        self._file.close()
        return self._crc


def _write(folder: Path, arrived: Iterator[ArrivedBlock], facts: Mapping[str, Any]) -> bool:
    columns: dict[str, _Column] = {}
    shapes: dict[BodySite, tuple[bool, bool]] = {}
    rows: list[tuple[int, float, int, int]] = []
    try:
        blocks = columns["blocks"] = _Column(folder / "blocks")
        for item in arrived:
            block = item.block
            shape = block.device_time_s is not None, block.host_time_s is not None
            if shapes.setdefault(block.site, shape) != shape:
                return False
            rows.append((item.sequence, item.arrival_s, list(shapes).index(block.site), len(block)))
            for name in _COLUMNS:
                values = getattr(block, name)
                if values is not None:
                    key = f"{block.site.value}.{name}"
                    if key not in columns:
                        columns[key] = _Column(folder / key)
                    columns[key].append(values)
            if len(rows) >= 65536:
                blocks.append(np.array(rows, _BLOCK_ROW))
                rows.clear()
        blocks.append(np.array(rows, _BLOCK_ROW))
    finally:
        checksums = {key: column.close() for key, column in columns.items()}
    stored = {**facts, "version": _VERSION, "sites": [site.value for site in shapes], "checksums": checksums}
    (folder / _FACTS).write_text(json.dumps(stored), encoding="utf-8")
    return True


def _load(entry: Path) -> CachedSamples:
    """Raises ValueError where the entry is not what was written."""
    facts = json.loads((entry / _FACTS).read_text("utf-8"))
    if facts["version"] != _VERSION:
        raise ValueError("another version")
    arrays = {key: _checked(entry / key, crc) for key, crc in facts["checksums"].items()}
    columns = {}
    for site in facts["sites"]:
        values = {
            name: _floats(arrays[key], width) if (key := f"{site}.{name}") in arrays else None
            for name, width in _COLUMNS.items()
        }
        columns[BodySite(site)] = Columns(**values)  # type: ignore[arg-type]  # acc and gyr are always there
    return CachedSamples(facts, arrays["blocks"].view(_BLOCK_ROW), columns)


def _checked(path: Path, crc: int) -> npt.NDArray[np.uint8]:
    if not path.stat().st_size:
        return np.empty(0, np.uint8)
    data: npt.NDArray[np.uint8] = np.asarray(np.memmap(path, np.uint8, mode="r"))
    if zlib.crc32(data.data) != crc:
        raise ValueError(f"{path.name} was altered")
    return data


def _floats(data: npt.NDArray[np.uint8], width: int) -> FloatArray:
    values = data.view(np.float64)
    return values if width == 1 else values.reshape(-1, width)


def _entries() -> list[Path]:
    try:
        return [entry for entry in cache_folder().iterdir() if (entry / _FACTS).is_file()]
    except OSError:
        return []


def _facts_in(entry: Path) -> dict[str, Any]:
    try:
        found = json.loads((entry / _FACTS).read_text("utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def _keep_within(limit_bytes: int, newest: Path) -> None:
    sized = []
    for entry in _entries():
        with contextlib.suppress(OSError):
            size = sum(file.stat().st_size for file in entry.iterdir())
            sized.append((entry != newest, -entry.stat().st_mtime, size, entry))
    total = 0
    for _, _, size, entry in sorted(sized):
        total += size
        if total > limit_bytes and entry != newest:
            shutil.rmtree(entry, ignore_errors=True)


def _remove_abandoned(folder: Path) -> None:
    """What a killed analysis left half made."""
    for entry in folder.glob(".*"):
        with contextlib.suppress(OSError):
            if time.time() - entry.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(entry, ignore_errors=True)
