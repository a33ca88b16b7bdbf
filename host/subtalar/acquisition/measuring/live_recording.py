"""The recording of a live session: begun, given up when its disk fails, and taken up again on another disk.

A failure is said at once and the session goes on. What the disk did not confirm, and what comes meanwhile, is held for
minutes, so that a recording that goes on elsewhere in time lacks nothing.
"""

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from subtalar.errors import InputError, RecordingError
from subtalar.session import Continuation, Recorder, recordings_folder
from subtalar.session.catalogue import CONFIGURATION_KEY, Assignment, write_sidecar
from subtalar.session.catalogue.layout import SIDECAR_SUFFIX, companion_path
from subtalar.types import Estimates, Notice, SensorInfo

ENOUGH_ROOM_BYTES = 500_000_000
"""Over two hours: a disk with less is not taken without being asked for."""
_MAX_PARTS = 1000
_OPENING_S = 5.0


class LiveRecording:
    """Owned by the event loop; ``write`` may also be called from the estimator's thread. ``wall_start`` is session 0.

    ``error`` is one sentence while nothing is being recorded, ``note`` one on why it goes on elsewhere; both may be
    empty. ``path`` is the newest file. ``live``: never make the caller wait for the disk.
    """

    def __init__(
        self,
        path: Path,
        sensors: Sequence[SensorInfo],
        wall_start: datetime,
        configuration: Mapping[str, Any],
        *,
        live: bool,
    ) -> None:
        self._sensors, self._wall_start, self._configuration = sensors, wall_start, dict(configuration)
        self._live = live
        self._switching = threading.Lock()
        self._opening: threading.Thread | None = None
        self._opened: Recorder | RecordingError | None = None
        self.files: list[Path] = [path]
        self._earlier_bytes = 0
        self.error = self.note = ""
        self._recorder: Recorder = self._open(path, None)

    @property
    def path(self) -> Path:
        """The newest file."""
        return self.files[-1]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return self._earlier_bytes + self._recorder.size

    def write(self, write: Callable[[Recorder], None]) -> None:
        """Do it. A recorder that has failed holds what it is given; ``tick`` says so."""
        with self._switching, contextlib.suppress(RecordingError):
            write(self._recorder)

    def set_owner(self, assignment: Assignment) -> None:
        """Whose session it is: beside the files there are, and in those to come."""
        self._configuration[CONFIGURATION_KEY] = assignment.as_json()
        threading.Thread(target=_write_owner_files, args=(tuple(self.files), assignment), daemon=True).start()

    def tick(self, now_s: float) -> None:
        """Several times a second: meet a failure, and finish what ``continue_in`` began. Never waits for a disk."""
        try:
            with self._switching:
                self._recorder.tick(now_s)
        except RecordingError as error:
            self._failed(error)
        opened, self._opened = self._opened, None
        if isinstance(opened, Recorder):
            self._switch_to(opened)
        elif opened is not None:
            self.error = str(opened)

    def continue_in(self, place: Path) -> None:
        """Record into a new file in this folder, or of this name, once the present one has failed. Returns at once."""
        self._open_in_thread(lambda: place)

    def close(self) -> None:
        """Close the newest file; where that fails, what it lacks may still go elsewhere. Blocks."""
        for _ in range(2):
            if self._opening is not None:
                self._opening.join(_OPENING_S)
                self.tick(0.0)
            try:
                self._recorder.close()
            except RecordingError as error:
                self._failed(error)

    def _open(self, path: Path, continues: Continuation | None) -> Recorder:
        recorder = Recorder(
            path,
            self._sensors,
            self._wall_start,
            configuration=self._configuration,
            continues=continues,
            patient=not self._live,
        )
        remove_owner_file(path)  # of a recording of this name that somebody has removed
        return recorder

    def _failed(self, error: RecordingError) -> None:
        if not self.error:
            self.error = str(error)
            if self._live:
                self._open_in_thread(self._default_folder)

    def _open_in_thread(self, choose: Callable[[], Path | None]) -> None:
        """In a thread: whatever touches a disk may wait for it."""
        if not self.error or (self._opening is not None and self._opening.is_alive()):
            return
        self._opening = threading.Thread(target=self._open_next, args=(choose, self._recorder), daemon=True)
        self._opening.start()

    def _open_next(self, choose: Callable[[], Path | None], failed: Recorder) -> None:
        try:
            place = choose()
            if place is not None:
                self._opened = self._open(path_of_next_part(place, self.files[0]), failed.continuation())
        except RecordingError as error:
            self._opened = error
        except OSError as error:
            self._opened = RecordingError(f"{error.filename} cannot be recorded to ({error.strerror}): choose another.")

    def _default_folder(self) -> Path | None:
        """Where nobody has to be asked: on another disk with room."""
        folder = recordings_folder()
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if _on_another_disk(folder, self.path) and shutil.disk_usage(folder).free >= ENOUGH_ROOM_BYTES:
                return folder
        return None

    def _switch_to(self, recorder: Recorder) -> None:
        with self._switching:
            held = self._recorder.continuation()
            recorder.take_over(held)
            self._earlier_bytes += self._recorder.size
            self._recorder = recorder
        lost = " Some data before it did not fit into memory and are lost." if held.dropped else ""
        self.note = f"Recording goes on in {recorder.path}, because: {self.error}{lost}"
        self.files.append(recorder.path)
        self.error = ""
        notice = Notice(held.now_s, "problem", "recording_moved", self.note)
        self.write(lambda r: r.write_estimates(Estimates(notices=(notice,))))


def remove_owner_file(path: Path) -> None:
    """Whose a recording was that is not there: a new one of that name would be taken for that person's."""
    with contextlib.suppress(OSError):
        companion_path(path, SIDECAR_SUFFIX).unlink()


def _write_owner_files(files: Sequence[Path], assignment: Assignment) -> None:
    """In a thread: a disk may hang. One that is gone takes nothing, and the other files say it."""
    for path in files:
        with contextlib.suppress(InputError, OSError):
            write_sidecar(recordings_folder(), path, assignment)


def path_of_next_part(place: Path, first: Path) -> Path:
    """A name that is free: ``place`` itself, or in the folder ``place`` that of the first file and a number."""
    place = place.expanduser().absolute()
    if not place.is_dir():
        return place
    for number in range(2, _MAX_PARTS):
        path = place / f"{first.stem}_part{number}.mcap"
        if not os.path.lexists(path):
            return path
    raise RecordingError(f"{place} holds a thousand parts of {first.name}: choose another folder.")


def _on_another_disk(folder: Path, file: Path) -> bool:
    """Where the file's own disk is gone, any other is another."""
    try:
        return folder.stat().st_dev != file.parent.stat().st_dev
    except OSError:
        return True
