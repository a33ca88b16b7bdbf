"""Write a recording while it happens; a crash costs half a second at most.

Calls only put frozen values into a queue. A thread of its own encodes them and writes a chunk every 0.4 s; another
waits for the disk every second, so a slow disk holds up neither the sensors nor the chunks, which outlive a killed
program without it. When the disk fails, what it has not confirmed is held, and a recorder on another disk can take it
over.
"""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from subtalar.errors import RecordingError
from subtalar.session.durable_file import DurableFile
from subtalar.session.model import Annotation
from subtalar.session.recording.format.counts import steps_of
from subtalar.session.recording.format.messages import ArrivedBlock, RawChunk, StatusSnapshot
from subtalar.session.recording.format.totals import Totals
from subtalar.session.recording.write.continuation import Continuation, HeldItems
from subtalar.session.recording.write.mcap_writer import RecordingWriter, encode_header
from subtalar.session.recording.write.message_batch import Batch, Item
from subtalar.types import BodySite, Estimates, SampleBlock, SensorInfo, SensorStatus

FLUSH_INTERVAL_S = 0.4
"""So that with the time it takes to write, a kill costs less than 0.6 s on a busy machine, too."""
SYNC_INTERVAL_S = 1.0
QUEUE_LIMIT_BYTES = 64 * 2**20
"""Some twenty minutes of four sensors: a disk that stands still for longer has failed."""
_WAKE_BYTES = 2 * 2**20
"""So much is written without waiting for the interval: a fast replay then needs little memory to read again."""
STALLED_DISK_S = 10.0
_CLOSING_S = 20.0
"""A disk that does not answer must not keep the session from ending."""


class Recorder:
    """Records one session into a new file.

    ``path`` must not exist (RecordingError says what to do); ``start_utc`` is the moment that the session clock calls
    0 and must carry a time zone; ``configuration`` is anything JSON can hold. Methods may be called from any thread
    and return at once. When the disk fails, the next call raises RecordingError, every later call does too, what was
    written stays readable, and ``close`` still releases the file; what calls bring meanwhile is held for ``hand_over``.

    ``continues``: what another recorder of the same session handed over; the file says that it is a continuation, and
    ``take_over`` brings what that one held.
    ``patient``: a full queue makes calls wait for the disk, as suits a replay in a hurry; sensors do not wait.
    """

    def __init__(
        self,
        path: str | Path,
        sensors: Sequence[SensorInfo],
        start_utc: datetime,
        *,
        configuration: Mapping[str, Any] | None = None,
        continues: Continuation | None = None,
        patient: bool = True,
    ) -> None:
        if start_utc.tzinfo is None:
            raise ValueError("start_utc needs a time zone")
        self.path = Path(path).expanduser()
        self._patient = patient
        self._steps = {s.site: steps_of(s) for s in sensors}
        if not sensors or len(self._steps) != len(sensors):
            raise ValueError("a recording needs at least one sensor and each site once")
        self._sites = {None, *self._steps}
        configuration_json = json.dumps(dict(configuration or {}), sort_keys=True)
        self._part = 1 if continues is None else continues.part + 1
        self._file = DurableFile(self.path)
        try:
            header = encode_header(
                sensors, start_utc, configuration_json, None if continues is None else continues.origin()
            )
            self._recording_id = header.recording_id
            self._writer = RecordingWriter(self._file, header.data, [s.site for s in sensors], start_utc)
            self._file.sync()
        except BaseException:
            self._file.close()
            raise
        self._totals = Totals()
        self._group = 0
        # Sensors call hundreds of times a second: the lock itself is quicker to take than the condition around it.
        self._lock = threading.RLock()
        self._state = threading.Condition(self._lock)
        self._inbox: list[Item] = []
        self._inbox_bytes = 0
        self._unconfirmed: list[Item] = []
        self._held = HeldItems(QUEUE_LIMIT_BYTES)
        self._sequence = 0
        self._now_s = 0.0
        self._taken = self._confirmed = 0
        """Items so far: given to the file, and known to be on the disk."""
        self._syncs_wanted = self._syncs_asked = self._syncs_done = 0
        self._ask: tuple[int, int] | None = None
        """For the syncing thread: items given to the file by then, and calls of ``sync`` that this serves."""
        self._ended = False
        self._stopping = False
        self._busy_since: float | None = None
        self._syncing_since: float | None = None
        self._failure: RecordingError | None = None
        self._sync_thread = threading.Thread(target=self._run_syncs, name=f"sync {self.path.name}", daemon=True)
        self._sync_thread.start()
        self._thread = threading.Thread(target=self._run, name=f"recorder {self.path.name}", daemon=True)
        self._thread.start()

    def write_chunk(self, site: BodySite, arrival_s: float, data: bytes) -> None:
        """Bytes as they arrived (session clock)."""
        with self._lock:
            if arrival_s > self._now_s:
                self._now_s = arrival_s
            self._put(RawChunk(self._sequence, site, arrival_s, bytes(data)), len(data), site)

    def write_block(self, block: SampleBlock) -> None:
        """Samples exactly as they are handed to the estimator, in the order in which they are."""
        with self._lock:
            if block.host_time_s is not None and len(block.host_time_s):
                self._advance(block.host_time_s.item(-1))
            self._put(ArrivedBlock(self._sequence, self._now_s, block), 64 * len(block.acc_m_s2), block.site)

    def write_estimates(self, estimates: Estimates) -> None:
        """Angles, events, strides, calibrations and notices."""
        failure: RecordingError | None = None
        kinds = estimates.angles, estimates.events, estimates.strides, estimates.calibrations, estimates.notices
        with self._lock:
            for items in kinds:
                for item in items:
                    try:
                        self._put(item)
                    except RecordingError as error:  # the others are held, too, for another recorder
                        failure = error
        if failure is not None:
            raise failure

    def write_status(self, sensors: Sequence[SensorStatus], time_s: float) -> None:
        """How every sensor is doing; the last ledger of each goes into the totals."""
        with self._lock:
            self._advance(time_s)
            self._put(StatusSnapshot(time_s, tuple(sensors)))

    def write_marker(self, marker: Annotation) -> None:
        """A named stretch of the session."""
        with self._lock:
            self._put(marker)

    def tick(self, now_s: float) -> None:
        """Tell the session time where no data does. Raises the RecordingError of a disk that failed or hangs."""
        with self._state:
            for since in (self._busy_since, self._syncing_since):
                if since is not None and time.monotonic() - since > STALLED_DISK_S:
                    self._fail(self._stalled())
            self._raise_failure()
            self._advance(now_s)

    def sync(self) -> None:
        """Return when all that was written so far is safe on the disk, as for a pause. Blocks."""
        with self._state:
            self._raise_failure()
            if self._stopping:
                return
            self._syncs_wanted += 1
            mine = self._syncs_wanted
            self._state.notify_all()
            self._state.wait_for(lambda: self._syncs_done >= mine or self._failure is not None)
            self._raise_failure()

    def close(self) -> None:
        """Write what is left, the totals and the index. Blocks; may be called twice. Raises RecordingError."""
        with self._state:
            already = self._stopping
            self._stopping = True
            self._state.notify_all()
        self._thread.join(None if self._failure is None else _CLOSING_S)
        if not already and self._failure is not None:
            raise self._failure

    @property
    def size(self) -> int:
        """Bytes that the file has by now, without asking the disk."""
        return self._file.tell()

    def continuation(self) -> Continuation:
        """After a failure: everything that the disk has not confirmed, for a recorder on another one.

        May be called again: until the other recorder stands, this one goes on holding what comes.
        """
        with self._state:
            items, dropped = self._held.items, self._held.dropped
            return Continuation(
                items, self._sequence, self._now_s, self._part, self.path.name, self._recording_id, dropped
            )

    def take_over(self, held: Continuation) -> None:
        """Before any other call: what the recorder held that this one continues."""
        with self._state:
            self._inbox[:0] = held.items
            self._inbox_bytes += sum(256 for _ in held.items)
            self._sequence, self._now_s = held.sequence, held.now_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except RecordingError:
            if error is None:
                raise

    def _advance(self, now_s: float) -> None:
        if now_s > self._now_s:
            self._now_s = now_s

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _put(self, item: Any, size: int = 200, site: BodySite | None = None) -> None:
        """Called hundreds of times a second."""
        if self._failure is not None or self._stopping or site not in self._sites or not self._has_room():
            self._refuse(site)
        self._sequence += 1
        if self._failure is not None:
            self._held.add((self._now_s, item), size + 64)
            raise self._failure
        self._inbox.append((self._now_s, item))
        self._inbox_bytes += size + 64
        if self._inbox_bytes >= _WAKE_BYTES:
            self._state.notify_all()

    def _refuse(self, site: BodySite | None) -> None:
        """Raise where nothing more can be taken; after a failure of the disk, or while it is slow, something can."""
        if self._failure is None and self._stopping:
            raise RecordingError(f"{self.path.name} is closed already: start a new recording.")
        if site not in self._sites:
            raise RecordingError(
                f"{self.path.name} was started without a {site} sensor: start a new recording with it."
            )
        if not self._has_room():
            patience_s = STALLED_DISK_S if self._patient else 0.0
            if not self._state.wait_for(self._has_room, timeout=patience_s):
                self._fail(self._stalled())

    def _has_room(self) -> bool:
        return self._inbox_bytes <= QUEUE_LIMIT_BYTES or self._failure is not None

    def _stalled(self) -> RecordingError:
        return RecordingError(
            f"The disk under {self.path} takes no more data: what was written until now is kept; "
            "record to another disk."
        )

    def _run(self) -> None:
        """The writing thread: wakes for the flush interval, for ``sync`` and for ``close``."""
        try:
            next_flush = time.monotonic() + FLUSH_INTERVAL_S
            next_sync = time.monotonic() + SYNC_INTERVAL_S
            while True:
                with self._state:
                    # By the clock: what the disk made this thread wait does not come on top.
                    self._state.wait_for(self._is_wanted, timeout=max(0.0, next_flush - time.monotonic()))
                    if self._failure is not None:  # given up by others while the disk stood still
                        return
                    items, self._inbox, self._inbox_bytes = self._inbox, [], 0
                    self._unconfirmed += items
                    self._taken += len(items)
                    wanted, stopping = self._syncs_wanted, self._stopping
                    self._busy_since = time.monotonic()
                    next_flush = self._busy_since + FLUSH_INTERVAL_S
                    self._state.notify_all()
                self._write(items)
                if stopping:
                    self._writer.finish(self._totals)
                    self._file.sync()
                    self._confirm(self._taken, wanted)
                    self._busy_since = None
                    return
                self._busy_since = None
                if wanted > self._syncs_asked or time.monotonic() >= next_sync:
                    next_sync = time.monotonic() + SYNC_INTERVAL_S
                    with self._state:
                        self._ask, self._syncs_asked = (self._taken, wanted), wanted
                        self._state.notify_all()
        except Exception as error:
            self._fail(self._raised_failure(error))
        finally:
            with self._state:
                self._ended = True
                self._state.notify_all()
            self._sync_thread.join(_CLOSING_S)
            if not self._sync_thread.is_alive():  # else its file may not be pulled from under it
                self._file.close()

    def _run_syncs(self) -> None:
        """The syncing thread: waits for the disk whenever the writing thread asks, which goes on meanwhile."""
        try:
            while True:
                with self._state:
                    self._state.wait_for(lambda: self._ask is not None or self._ended)
                    if self._ask is None:
                        return
                    (taken, wanted), self._ask = self._ask, None
                    self._syncing_since = time.monotonic()
                self._file.sync()
                self._syncing_since = None
                self._confirm(taken, wanted)
        except Exception as error:
            self._fail(self._raised_failure(error))

    def _raised_failure(self, error: Exception) -> RecordingError:
        if isinstance(error, RecordingError):
            return error
        return RecordingError(f"{self.path} cannot be written any more ({error}): start a new recording.")

    def _confirm(self, taken: int, wanted: int) -> None:
        """The disk has so many items, and so many calls of ``sync`` may return."""
        with self._state:
            del self._unconfirmed[: max(0, taken - self._confirmed)]
            self._confirmed = max(taken, self._confirmed)
            self._syncs_done = max(wanted, self._syncs_done)
            self._state.notify_all()

    def _is_wanted(self) -> bool:
        wanted = self._stopping or self._syncs_wanted > self._syncs_asked or self._inbox_bytes >= _WAKE_BYTES
        return wanted or self._failure is not None

    def _write(self, items: Sequence[Item]) -> None:
        if not items:
            return
        self._group += 1
        Batch(items, self._steps).write(self._writer, self._totals, self._group)
        self._writer.flush()

    def _fail(self, error: RecordingError) -> None:
        with self._state:  # a condition's lock may be taken again by the thread that holds it
            if self._failure is None:
                self._failure = error
                for item in (*self._unconfirmed, *self._inbox):
                    self._held.add(item, 256)
            self._unconfirmed, self._inbox, self._inbox_bytes = [], [], 0
            self._state.notify_all()
