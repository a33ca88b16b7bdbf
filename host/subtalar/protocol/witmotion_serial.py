"""WitMotion standard protocol (WT901, BWT901CL and kin): frames of 11 bytes with a checksum, one quantity each.

Sources: WITMOTION/WitStandardProtocol_JY901 (``REG.h``, ``wit_c_sdk.c``, vendor code) and the vendor's manuals. Over a
serial port; the dual-mode BWT901CL speaks the same over Bluetooth LE.

A sample is a time frame (0x50), acceleration (0x51) and angular velocity (0x52) that follow each other; a set that
lost one of them is dropped. ``configure`` asks for exactly these. The time is the sensor's calendar in milliseconds:
with it losses are exact. That it ticks with the samples needs a check on hardware.
"""

import re
import struct
from collections.abc import Generator, Iterator
from functools import lru_cache
from typing import Final

import numpy as np

from subtalar.errors import LinkError
from subtalar.types import FloatArray, IntArray

from .base import DeviceProtocol, Expect, GattProfile, Pause, Script, Send, Step, ask
from .events import DeviceReply, Event, InertialSamples
from .witmotion import (
    ACC_RANGE_M_S2,
    GYR_RANGE_RAD_S,
    RATE_CODES,
    REG_RATE,
    REG_SERIAL,
    REG_VERSION,
    SAVE,
    UNLOCK,
    read_register,
    register_reply,
    write_register,
)

FRAME_BYTES: Final = 11
_HEAD: Final = 0x55
_TIME, _ACC, _GYR, _REGISTERS = 0x50, 0x51, 0x52, 0x5F
_WINDOW: Final = 512
"""Frames looked at in one go: bounds what one loss of step makes us look at again."""

REG_CONTENT: Final = 0x02
REG_LED_OFF: Final = 0x1B
CONTENT: Final = 0b111
"""Time, acceleration, angular velocity: 33 bytes a sample."""

_SCALE: Final = np.array([ACC_RANGE_M_S2, GYR_RANGE_RAD_S]).reshape(2, 1, 1) / 32768
_RATES_HZ: Final = (10.0, 20.0, 50.0, 100.0, 200.0)
_MONTHS_BEFORE_2000: Final = 30 * 12
_SETTLE_S: Final = 0.1
_BUSY_AFTER_SAVE_S: Final = 0.5
_FIRST_SAMPLE_S: Final = 1.5
_BLINKS: Final = 3
_BLINK_S: Final = 0.4

# The types of the frames of a sample, one byte each.
_TIMED_SAMPLE: Final = re.compile(bytes((_TIME, _ACC, _GYR)))
_SAMPLE: Final = re.compile(bytes((_ACC, _GYR)))
_FEW: Final = 8


def calendar_us(raw: bytes, at: int, n: int, stride: int) -> IntArray:
    """``n`` time frames from ``at`` on -> microseconds since 1970 (n,) on the sensor's own calendar.

    Nobody need have set that calendar.
    """
    parts = np.ndarray((n, 6), np.uint8, raw, at + 2, (stride, 1))
    dates = parts[:, :3].tobytes()
    one_day = dates[:3] * n == dates
    days = _day(dates[:3]) if one_day else np.array([_day(dates[i : i + 3]) for i in range(0, 3 * n, 3)])
    seconds = ((24 * days + parts[:, 3].astype(np.int64)) * 60 + parts[:, 4]) * 60 + parts[:, 5]
    milliseconds = np.ndarray((n,), "<u2", raw, at + 8, (stride,))
    return np.asarray(1000 * (1000 * seconds + milliseconds), dtype=np.int64)


@lru_cache(maxsize=8)
def _day(yy_mm_dd: bytes) -> int:
    """Days since 1970. Months and days that no calendar has are counted on, so that time still only goes forward."""
    year, month, day = yy_mm_dd
    months = np.datetime64(_MONTHS_BEFORE_2000 + 12 * year + month - 1, "M")
    return int(months.astype("datetime64[D]").astype(np.int64)) + day - 1


class WitMotionSerial(DeviceProtocol):
    """Codec of one WitMotion sensor with the standard protocol.

    Without time frames, as before ``configure``, samples come without time; once one was seen, only with it.
    """

    model = "witmotion-serial"
    gatt = GattProfile(
        service="49535343-fe7d-4ae5-8fa9-9fafd205e455",
        notify=("49535343-1e4d-4bd9-ba61-23c647249616",),
        write="49535343-8841-43f4-a8d4-ecbe34729bb3",
        # The dual-mode units; all other names that begin with WT are of the BLE 5.0 family.
        name_prefixes=("WT901CL", "BWT901CL"),
    )
    default_rate_hz = 100.0
    acc_range_m_s2 = ACC_RANGE_M_S2
    gyr_range_rad_s = GYR_RANGE_RAD_S
    has_device_time = True
    streams_unasked = True
    baud_rate = 115200

    def __init__(self, rate_hz: float | None = None) -> None:
        super().__init__(rate_hz)
        self._buffer = b""
        self._in_step = True
        self._set = b""
        self._timed = self._told_time = False
        self._awaited_register: int | None = None
        self._answer: tuple[int, ...] = ()

    @classmethod
    def offered_rates_hz(cls) -> tuple[float, ...]:
        """10 to 200 Hz; 50 Hz needs 19200 baud, 100 Hz 38400, 200 Hz 115200."""
        return _RATES_HZ

    def reset(self) -> None:
        """Forget a half-received frame or sample, and that the sensor sends its time."""
        self.health.corrupt_bytes += len(self._buffer)
        self._buffer = self._set = b""
        self._in_step, self._timed = True, False

    def feed(self, data: bytes, source: str = "") -> list[Event]:
        """See :meth:`DeviceProtocol.feed`. Batches the samples between two register answers."""
        buffer = self._buffer + data if self._buffer else data
        events: list[Event] = []
        at = 0
        while True:
            n_whole = min((len(buffer) - at) // FRAME_BYTES, _WINDOW)
            n_good = _leading_good(buffer, at, n_whole)
            if n_good:
                self._in_step = True
                self._take(buffer[at : at + n_good * FRAME_BYTES], events)
                at += n_good * FRAME_BYTES
            if n_good < n_whole or not n_whole:
                moved = self._find_step(buffer, at)
                if moved == at:
                    break
                at = moved
        self._buffer = bytes(buffer[at:])
        return events

    def _find_step(self, buffer: bytes, at: int) -> int:
        """Move to the next good frame, or to the first byte that may still become one."""
        begin, last = at, len(buffer)
        while at < last:
            head = buffer.find(b"\x55", at)
            at = last if head < 0 else head
            if at + 1 >= last:
                break
            incomplete = at + FRAME_BYTES > last
            if 0x50 <= buffer[at + 1] <= 0x5F and (incomplete or sum(buffer[at : at + 10]) & 0xFF == buffer[at + 10]):
                break
            at += 1
        if at > begin:
            self.health.corrupt_bytes += at - begin
            self.health.resyncs += self._in_step
            self._in_step = False
        return at

    def _take(self, raw: bytes, events: list[Event]) -> None:
        """Well-formed frames of any kind."""
        kinds = raw[1::FRAME_BYTES]
        known = sum(map(kinds.count, (_TIME, _ACC, _GYR, _REGISTERS)))
        self.health.frames += known
        self.health.skipped_frames += len(kinds) - known
        begin = 0
        while (at := FRAME_BYTES * kinds.find(_REGISTERS, begin // FRAME_BYTES)) >= 0:
            self._append_samples(raw[begin:at], events)
            self._append_registers(raw[at : at + FRAME_BYTES], events)
            begin = at + FRAME_BYTES
        self._append_samples(raw[begin:], events)

    def _append_samples(self, raw: bytes, events: list[Event]) -> None:
        """Frames that are no answers; those of a sample stand side by side."""
        if not raw:
            return
        raw = self._set + raw
        kinds = raw[1::FRAME_BYTES]
        if not self._timed:
            # The set of the first time frame is the first with a time, whole or not.
            first = kinds.find(_TIME)
            self._timed = first >= 0
            untimed = [found.start() for found in _SAMPLE.finditer(kinds, 0, first if self._timed else len(kinds))]
            for at, n, step in _even_runs(untimed):
                events.append(InertialSamples(None, *_quantities(raw, at, n, step)))
        for at, n, step in _even_runs([found.start() for found in _TIMED_SAMPLE.finditer(kinds)]):
            time_us = calendar_us(raw, at * FRAME_BYTES, n, step * FRAME_BYTES)
            events.append(InertialSamples(time_us, *_quantities(raw, at + 1, n, step)))
            self._told_time = True
        self._set = raw[len(raw) - FRAME_BYTES * _begun(kinds) :]

    def _append_registers(self, frame: bytes, events: list[Event]) -> None:
        """An answer does not say which registers it holds: those that were asked for last."""
        asked, self._awaited_register = self._awaited_register, None
        self._answer = struct.unpack_from("<4h", frame, 2)
        events.append(DeviceReply("registers", self._answer) if asked is None else register_reply(asked, self._answer))

    # Conversation -----------------------------------------------------------------------------------------

    def _query(self, register: int, tries: int) -> Generator[Step, bool, bool]:
        """Read four registers. One question at a time: the answers do not tell which they belong to."""
        self._awaited_register = register
        answered = yield from ask(Send(read_register(register)), lambda: self._awaited_register is None, 0.5, tries)
        self._awaited_register = None
        return answered

    def _write(self, register: int, value: int) -> Script:
        yield Send(write_register(register, value))
        yield Pause(_SETTLE_S)

    def _unlock(self) -> Script:
        yield Send(UNLOCK)
        yield Pause(_SETTLE_S)

    def configure(self) -> Script:
        """Unlock, set content and rate, read both back, and wait for a sample with its time. Nothing is saved.

        Raises LinkError if the sensor keeps other settings or sends no time.
        """
        code = RATE_CODES[self.rate_hz]
        for _ in range(2):
            yield from self._unlock()
            yield from self._write(REG_CONTENT, CONTENT)
            yield from self._write(REG_RATE, code)
            # Content and rate are neighbours: one answer holds both. A silence is no failure, the data will show.
            if not (yield from self._query(REG_CONTENT, tries=2)) or self._answer[:2] == (CONTENT, code):
                break
        else:
            raise LinkError(
                f"The WitMotion sensor does not take the rate {self.rate_hz:g} Hz: switch it off and on, "
                "or choose another rate."
            )
        frames = self.health.frames
        self._told_time = False  # one that is configured anew while it streams sends nothing without time meanwhile
        if (yield Expect(lambda: self._told_time, _FIRST_SAMPLE_S)):
            return
        if self.health.frames == frames:
            raise LinkError(
                "Nothing comes that a WitMotion sensor would send: check that it is on, and that it is set to the baud "
                f"rate of the port ({self.baud_rate} unless the device spec says otherwise)."
            )
        raise LinkError("The WitMotion sensor does not send its time: this model cannot be used over a serial port.")

    def save(self) -> Script:
        """Keep the present settings over power-off."""
        yield from self._unlock()
        yield Send(SAVE)
        yield Pause(_BUSY_AFTER_SAVE_S)

    def identify(self) -> Script:
        """Firmware version words and serial number; a silence is no failure."""
        for register in (REG_VERSION, REG_SERIAL):
            yield from self._query(register, tries=2)

    def blink(self) -> Script:
        """The LED goes off three times, and ends as it was.

        The register is the vendor's; that every model obeys it needs a check on hardware.
        """
        was_off = (yield from self._query(REG_LED_OFF, tries=2)) and self._answer[0] == 1
        yield from self._unlock()
        for _ in range(_BLINKS):
            for off in (1, 0):
                yield from self._write(REG_LED_OFF, off)
                yield Pause(_BLINK_S - _SETTLE_S)
        if was_off:
            yield from self._write(REG_LED_OFF, 1)


def _leading_good(buffer: bytes, at: int, n: int) -> int:
    """How many of the ``n`` frames from ``at`` on are well formed, up to the first that is not."""
    if n <= _FEW:
        for i in range(n):
            frame = buffer[at + i * FRAME_BYTES : at + (i + 1) * FRAME_BYTES]
            if frame[0] != _HEAD or frame[1] & 0xF0 != 0x50 or sum(frame[:10]) & 0xFF != frame[10]:
                return i
        return n
    rows = np.frombuffer(buffer, np.uint8, n * FRAME_BYTES, at).reshape(n, FRAME_BYTES)
    sums = rows[:, :10].sum(axis=1, dtype=np.uint8)
    good = (rows[:, 0] == _HEAD) & ((rows[:, 1] & 0xF0) == 0x50) & (sums == rows[:, 10])
    return n if good.all() else int(np.argmin(good))


def _even_runs(at: list[int]) -> Iterator[tuple[int, int, int]]:
    """Rising places as (first, number, step) of runs with even steps; nearly always one run."""
    begin = 0
    while begin < len(at):
        step = at[begin + 1] - at[begin] if begin + 1 < len(at) else 1
        n = len(at) - begin
        if at[-1] - at[begin] != step * (n - 1):
            n = next(i for i in range(1, n + 1) if i == n or at[begin + i] != at[begin] + i * step)
        yield at[begin], n, step
        begin += n


def _quantities(raw: bytes, at: int, n: int, step: int) -> FloatArray:
    """Acceleration and angular velocity (2, n, 3) of ``n`` samples, every ``step`` frames from frame ``at`` on."""
    words = np.ndarray((2, n, 3), "<i2", raw, at * FRAME_BYTES + 2, (FRAME_BYTES, step * FRAME_BYTES, 2))
    values: FloatArray = np.multiply(words, _SCALE, order="C")
    return values


def _begun(kinds: bytes) -> int:
    """How many frames at the end may be the beginning of a sample."""
    if kinds.endswith(bytes((_TIME, _ACC))):
        return 2
    return int(kinds[-1] in (_TIME, _ACC))
