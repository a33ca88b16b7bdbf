"""Write a recording while it happens; a crash costs half a second at most.

Calls only put frozen values into a queue. A thread of its own encodes them, writes a chunk every half second and
waits for the disk every second, so a slow disk never holds up the sensors.
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
from subtalar.session.model import Annotation
from subtalar.session.recording.batch import Batch, Item
from subtalar.session.recording.durable_file import DurableFile
from subtalar.session.recording.mcap_writer import RecordingWriter, Totals, encode_header
from subtalar.session.recording.messages import ArrivedBlock, RawChunk, StatusSnapshot
from subtalar.types import BodySite, Estimates, SampleBlock, SensorInfo, SensorStatus

FLUSH_INTERVAL_S = 0.5
SYNC_INTERVAL_S = 1.0
QUEUE_LIMIT_BYTES = 64 * 2**20
"""Some twenty minutes of four sensors: a disk that stands still for longer has failed."""
_WAKE_BYTES = 2 * 2**20
"""So much is written without waiting for the interval: a fast replay then needs little memory to read again."""
STALLED_DISK_S = 10.0


class Recorder:
    """Records one session into a new file.

    ``path`` must not exist (RecordingError says what to do); ``start_utc`` is the moment that the session clock calls
    0 and must carry a time zone; ``configuration`` is anything JSON can hold. Methods may be called from any thread
    and return at once. When the disk fails, the next call raises RecordingError, every later call does too, what was
    written stays readable, and ``close`` still releases the file.
    """

    def __init__(
        self,
        path: str | Path,
        sensors: Sequence[SensorInfo],
        start_utc: datetime,
        *,
        configuration: Mapping[str, Any] | None = None,
    ) -> None:
        if start_utc.tzinfo is None:
            raise ValueError("start_utc needs a time zone")
        self.path = Path(path).expanduser()
        self._sites = frozenset(s.site for s in sensors)
        if not sensors or len(self._sites) != len(sensors):
            raise ValueError("a recording needs at least one sensor and each site once")
        configuration_json = json.dumps(dict(configuration or {}), sort_keys=True)
        self._file = DurableFile(self.path)
        try:
            header = encode_header(sensors, start_utc, configuration_json)
            self._writer = RecordingWriter(self._file, header, [s.site for s in sensors], start_utc)
            self._file.sync()
        except BaseException:
            self._file.close()
            raise
        self._totals = Totals()
        self._group = 0
        self._state = threading.Condition()
        self._inbox: list[Item] = []
        self._inbox_bytes = 0
        self._sequence = 0
        self._now_s = 0.0
        self._syncs_wanted = 0
        self._syncs_done = 0
        self._stopping = False
        self._failure: RecordingError | None = None
        self._thread = threading.Thread(target=self._run, name=f"recorder {self.path.name}", daemon=True)
        self._thread.start()

    def write_chunk(self, site: BodySite, arrival_s: float, data: bytes) -> None:
        """Bytes as they arrived (session clock)."""
        with self._state:
            self._advance(arrival_s)
            self._put(RawChunk(self._sequence, site, arrival_s, bytes(data)), site, len(data))

    def write_block(self, block: SampleBlock) -> None:
        """Samples exactly as they are handed to the estimator, in the order in which they are."""
        with self._state:
            if block.host_time_s is not None and len(block):
                self._advance(float(block.host_time_s[-1]))
            self._put(ArrivedBlock(self._sequence, self._now_s, block), block.site, 64 * len(block))

    def write_estimates(self, estimates: Estimates) -> None:
        """Angles, events, strides and notices."""
        with self._state:
            for items in (estimates.angles, estimates.events, estimates.strides, estimates.notices):
                for item in items:
                    self._put(item, None, 200)

    def write_status(self, sensors: Sequence[SensorStatus], time_s: float) -> None:
        """How every sensor is doing; the last ledger of each goes into the totals."""
        with self._state:
            self._advance(time_s)
            self._put(StatusSnapshot(time_s, tuple(sensors)), None, 200)

    def write_marker(self, marker: Annotation) -> None:
        """A named stretch of the session."""
        with self._state:
            self._put(marker, None, 200)

    def tick(self, now_s: float) -> None:
        """Tell the session time where no data does. Raises the RecordingError of a failed disk."""
        with self._state:
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
        self._thread.join()
        if not already and self._failure is not None:
            raise self._failure

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
        self._now_s = max(self._now_s, now_s)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _put(self, item: Any, site: BodySite | None, size: int) -> None:
        self._raise_failure()
        if self._stopping:
            raise RecordingError(f"{self.path.name} is closed already: start a new recording.")
        if site is not None and site not in self._sites:
            raise RecordingError(
                f"{self.path.name} was started without a {site} sensor: start a new recording with it."
            )
        if self._inbox_bytes > QUEUE_LIMIT_BYTES:
            taken = self._state.wait_for(lambda: self._inbox_bytes <= QUEUE_LIMIT_BYTES, timeout=STALLED_DISK_S)
            self._raise_failure()
            if not taken:
                self._failure = RecordingError(
                    f"The disk under {self.path} takes no more data: what was written until now is kept; "
                    "record to another disk."
                )
                raise self._failure
        self._inbox.append((self._now_s, item))
        self._inbox_bytes += size + 64
        self._sequence += 1
        if self._inbox_bytes >= _WAKE_BYTES:
            self._state.notify_all()

    def _run(self) -> None:
        """The writing thread: wakes for the flush interval, for ``sync`` and for ``close``."""
        try:
            next_sync = time.monotonic() + SYNC_INTERVAL_S
            while True:
                with self._state:
                    self._state.wait_for(self._is_wanted, timeout=FLUSH_INTERVAL_S)
                    items, self._inbox, self._inbox_bytes = self._inbox, [], 0
                    wanted, stopping = self._syncs_wanted, self._stopping
                    self._state.notify_all()
                self._write(items)
                if stopping:
                    self._writer.finish(self._totals)
                if stopping or wanted > self._syncs_done or time.monotonic() >= next_sync:
                    self._file.sync()
                    next_sync = time.monotonic() + SYNC_INTERVAL_S
                    with self._state:
                        self._syncs_done = wanted
                        self._state.notify_all()
                if stopping:
                    return
        except RecordingError as error:
            self._fail(error)
        except Exception as error:
            self._fail(RecordingError(f"{self.path} cannot be written any more ({error}): start a new recording."))
        finally:
            self._file.close()

    def _is_wanted(self) -> bool:
        return self._stopping or self._syncs_wanted > self._syncs_done or self._inbox_bytes >= _WAKE_BYTES

    def _write(self, items: Sequence[Item]) -> None:
        if not items:
            return
        self._group += 1
        Batch(items).write(self._writer, self._totals, self._group)
        self._writer.flush()

    def _fail(self, error: RecordingError) -> None:
        with self._state:
            self._failure = self._failure or error
            self._inbox, self._inbox_bytes = [], 0
            self._state.notify_all()
