"""Talus, the project's own protocol for boards that people flash themselves. Source: docs/protocol.md, version 1.0.

A byte stream of COBS-stuffed frames with CRC-16, the same over GATT, serial ports and TCP. Samples are numbered, so
what is lost within a connection is known exactly (``health.lost_samples``), whatever the IMU's own oscillator does.
"""

import struct
from collections.abc import Generator, Iterable
from itertools import groupby
from typing import Final

import numpy as np

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError, LinkError
from subtalar.types import IntArray

from .base import DeviceProtocol, Expect, GattProfile, Pause, Script, Send, Step, ask
from .events import BatteryLevel, DeviceMessage, DeviceReply, Event, InertialSamples, merge_samples
from .talus_frames import (
    ACC_RANGE,
    BATTERY,
    BATTERY_ITEM,
    BLINK,
    CRC_BYTES,
    DONE,
    GET,
    GYR_RANGE,
    HEAD_BYTES,
    HELLO,
    MAJOR_VERSION,
    NAME,
    NAME_LIMIT,
    NOT_NOW,
    NOTE,
    NUMBERS,
    OFFERED_RATES,
    PIECE_LIMIT,
    RATE,
    SAMPLE_BYTES,
    SAMPLES,
    SAVE,
    SET,
    START,
    STATUS,
    STOP,
    STREAM,
    STREAM_FIELDS,
    TEXTS,
    TO_DEVICE,
    Answer,
    StreamFrame,
    stuffed,
    told_by,
    unstuffed,
)

_M_S2_A_NANO_G: Final = GRAVITY_M_S2 * 1e-9
_RAD_A_NANODEGREE: Final = np.pi / 180.0 * 1e-9
_WRAP_US: Final = 1 << 32
_HALF_WRAP_US: Final = 1 << 31
_ANSWER_S: Final = 0.5
_SAVED_S: Final = 1.0
_TRIES: Final = 3


class Talus(DeviceProtocol):
    """Codec of one board that speaks Talus."""

    model = "talus"
    gatt = GattProfile(
        service="13352089-70fe-4ecc-8436-6cede67b263d",
        notify=("1335208a-70fe-4ecc-8436-6cede67b263d",),
        write="1335208b-70fe-4ecc-8436-6cede67b263d",
        name_prefixes=("Talus-",),
    )
    default_rate_hz = 100.0
    acc_range_m_s2 = 16.0 * GRAVITY_M_S2
    gyr_range_rad_s = 2000.0 * np.pi / 180.0
    has_device_time = True
    battery_poll_interval_s = 600.0  # it tells by itself once a minute; who connects in between need not wait for that

    def __init__(self, rate_hz: float | None = None) -> None:
        super().__init__(rate_hz)
        self._tail = b""
        self._overlong = False
        self._run: list[bytearray] = []
        self._stream: StreamFrame | None = None
        self._told: tuple[int, ...] = ()
        self._number = 0
        self._time_us = 0
        self._is_first = True
        self._boot: int | None = None
        self._zero_us = 0
        self._tag = 0
        self._awaited: tuple[int, int] | None = None
        self._answer: Answer | None = None

    @classmethod
    def offered_rates_hz(cls) -> tuple[float, ...]:
        """None: which a board has, it says itself when one is set."""
        return ()

    def _checked_rate(self, wanted_hz: float) -> float:
        return _sendable("rate", wanted_hz, "Hz", RATE)

    def _check_range(self, sensor: str, unit: str, wanted: float, offered: tuple[float, ...]) -> None:
        _sendable(f"{sensor} range", wanted, unit, ACC_RANGE if unit == "g" else GYR_RANGE)

    def reset(self) -> None:
        """Forget half a piece, and how to read samples: the next stream tells anew."""
        self.health.corrupt_bytes += len(self._tail)
        self._tail = b""
        self._overlong = False
        self._stream = None

    # Decoding ---------------------------------------------------------------------------------------------

    def feed(self, data: bytes, source: str = "") -> list[Event]:
        """See :meth:`DeviceProtocol.feed`. Batches the samples between two other frames."""
        events: list[Event] = []
        *pieces, tail = (self._tail + data).split(b"\0")
        if self._overlong and pieces:
            self.health.corrupt_bytes += len(pieces.pop(0)) + 1
            self._overlong = False
        for piece in pieces:
            if not piece:
                continue
            frame = unstuffed(piece) if len(piece) <= PIECE_LIMIT else None
            if frame is None:
                self.health.corrupt_bytes += len(piece) + 1
                self.health.resyncs += 1
            elif frame[0] == SAMPLES:
                self._run.append(frame)
            else:
                self._flush(events)
                self._take(frame[0], bytes(frame[1:-CRC_BYTES]), events)
        self._flush(events)
        if self._overlong or len(tail) > PIECE_LIMIT:
            self.health.corrupt_bytes += len(tail)
            self.health.resyncs += not self._overlong
            self._overlong = True
            tail = b""
        self._tail = tail
        return events

    def _take(self, kind: int, payload: bytes, events: list[Event]) -> None:
        """Any frame but SAMPLES. Bytes behind the known fields are of a later version."""
        known = True
        if kind == STREAM and len(payload) >= STREAM_FIELDS.size:
            known = self._take_stream(StreamFrame(*STREAM_FIELDS.unpack_from(payload)), events)
        elif kind == BATTERY and len(payload) >= 4:
            self._take_battery(payload, events)
        elif kind == NOTE and len(payload) >= 2:
            events.append(DeviceMessage(payload[2:].decode("utf-8", "replace"), is_error=payload[0] >= 2))
        elif HELLO <= kind <= SAVE and len(payload) >= 2:
            self._take_answer(kind, payload[0], Answer(payload[1], payload[2:]), events)
        else:
            known = False
        if known:
            self.health.frames += 1
        else:
            self.health.skipped_frames += 1

    def _take_stream(self, stream: StreamFrame, events: list[Event]) -> bool:
        if not stream.is_usable:
            return False
        if self._boot is not None and stream.boot != self._boot:
            # Its clock began anew, perhaps beyond where the old one was last seen: show that as a step back.
            self._zero_us = stream.time_us
            events.append(DeviceMessage("The sensor has restarted: its clock began anew."))
        self._boot = stream.boot
        if self._stream is None:
            self._number, self._time_us, self._is_first = stream.number, stream.time_us, True
        self._stream = stream
        if stream[2:] != self._told:
            self._told = stream[2:]
            told = {
                "rate_hz": round(1e9 / stream.period_ns, 3),
                "acc_full_scale_g": round(stream.acc_count_ng * 32768e-9, 3),
                "gyr_full_scale_deg_s": round(stream.gyr_count_ndeg_s * 32768e-9, 1),
                "boot": f"{stream.boot:08x}",
            }
            events.append(DeviceReply("stream", told))
        return True

    def _take_battery(self, payload: bytes, events: list[Event]) -> None:
        percent, millivolts = payload[0], int.from_bytes(payload[1:3], "little")
        if percent <= 100:
            events.append(BatteryLevel(float(percent), millivolts / 1000.0 if millivolts else None))

    def _take_answer(self, kind: int, tag: int, answer: Answer, events: list[Event]) -> None:
        if self._awaited == (kind, tag):
            self._answer = answer
        done = answer.status == DONE
        key, value = told_by(kind, answer.data) if done or answer.data else (f"answer_{kind:02x}", None)
        if done and kind == GET and answer.data[:1] == bytes((BATTERY_ITEM,)) and len(answer.data) >= 5:
            self._take_battery(answer.data[1:], events)
        error = None if done else STATUS.get(answer.status, f"error {answer.status}")
        events.append(DeviceReply(key, None if error and kind == GET else value, error))

    def _flush(self, events: list[Event]) -> None:
        """Turn the collected SAMPLES frames into one batch."""
        frames, self._run = self._run, []
        if not frames:
            return
        batches: list[Event] = []
        for length, same in groupby(frames, len):
            alike = list(same)
            batch = self._decode(alike, length)
            if batch is None:
                self.health.skipped_frames += len(alike)
            else:
                self.health.frames += len(alike)
                batches.append(batch)
        events += batches if len(batches) < 2 else merge_samples(batches)

    def _decode(self, frames: list[bytearray], length: int) -> InertialSamples | None:
        """Equally long frames; None while nothing says how to read them, or where the length is none of SAMPLES."""
        stream, (n, odd) = self._stream, divmod(length - HEAD_BYTES - CRC_BYTES, SAMPLE_BYTES)
        if stream is None or n < 1 or odd:
            return None
        raw, m = b"".join(frames), len(frames)
        # Strided views (quantity, frame, sample, axis) and one product: this is the hot path.
        counts = np.ndarray((2, m, n, 3), "<i2", raw, HEAD_BYTES, (6, length, SAMPLE_BYTES, 2))
        a_count = np.array([stream.acc_count_ng * _M_S2_A_NANO_G, stream.gyr_count_ndeg_s * _RAD_A_NANODEGREE])
        acc, gyr = np.multiply(counts, a_count.reshape(2, 1, 1, 1), order="C").reshape(2, m * n, 3)
        heads = struct.iter_unpack(f"<xHI{length - HEAD_BYTES}x", raw)
        return InertialSamples(self._times_us(heads, n, stream.period_ns * 1e-3), acc, gyr)

    def _times_us(self, heads: Iterable[tuple[int, int]], n: int, period_us: float) -> IntArray:
        """Times of the samples of frames of n each, from their newest ones' (number, time); counts what is lost before
        each frame.
        """
        newest_us, spacing_us = [], []
        last_number, last_us = self._number, self._time_us
        for number, low_us in heads:
            step_us = (low_us - last_us + _HALF_WRAP_US) % _WRAP_US - _HALF_WRAP_US
            step = (number - last_number) % 65536
            if step > 32_000 or step_us > 32_000 * period_us:  # else the number cannot have gone round, or back
                step += 65536 * round((step_us / period_us - step) / 65536)
            last_number, last_us = number, last_us + step_us
            newest_us.append(last_us)
            # A step back is a frame that came twice or a clock that jumped: nothing can be said of what was between.
            if step_us > 0 and step > 0:
                if step > n:
                    self.health.lost_samples += step - n
                spacing_us.append(period_us if self._is_first else step_us / step)
            else:
                spacing_us.append(period_us)
            self._is_first = False
        self._number, self._time_us = last_number, last_us
        times_us = np.array(newest_us, np.int64) - self._zero_us
        if n == 1:
            return times_us
        back = np.rint(np.array(spacing_us)[:, None] * np.arange(n - 1, -1, -1))
        return (times_us[:, None] - back.astype(np.int64)).reshape(-1)

    # Conversation -----------------------------------------------------------------------------------------

    def _request(self, kind: int, arguments: bytes = b"") -> Generator[Step, bool, Answer]:
        """One question and its answer. Raises LinkError on silence; a device that is busy is asked again."""
        answer: Answer | None = None
        for _ in range(_TRIES):
            self._tag = (self._tag + 1) % 256
            self._awaited, self._answer = (kind, self._tag), None
            send = Send(stuffed(bytes((TO_DEVICE | kind, self._tag)) + arguments))
            yield from ask(send, lambda: self._answer is not None, _SAVED_S if kind == SAVE else _ANSWER_S, _TRIES)
            answer = self._heard()
            if answer is None or answer.status != NOT_NOW:
                break
            yield Pause(_ANSWER_S)
        if answer is None:
            raise LinkError(
                "The Talus sensor does not answer: check that it is switched on, and the address of its spec."
            )
        return answer

    def _heard(self) -> Answer | None:
        """The answer that came, if one did; nothing is awaited any more."""
        self._awaited = None
        return self._answer

    def configure(self) -> Script:
        """Say hello, stop what may still run, set rate and ranges, start. Nothing is saved in the device.

        Raises LinkError if the device does not answer, speaks another version or refuses.
        """
        # A zero first: the line may have carried half a frame, and a device that was just plugged in its boot text.
        yield Send(b"\0")
        hello = yield from self._request(HELLO, bytes((MAJOR_VERSION,)))
        version = hello.data[0] if hello.data else 0
        if hello.status != DONE or version != MAJOR_VERSION:
            raise LinkError(
                f"The sensor speaks version {version} of the Talus protocol, and this program version "
                f"{MAJOR_VERSION}: update the older of the two."
            )
        self._must(STOP, (yield from self._request(STOP)))
        self._stream = None
        yield from self._set_number(RATE, self.rate_hz)
        if self.acc_range_m_s2 is not None and self.gyr_range_rad_s is not None:
            yield from self._set_number(ACC_RANGE, self.acc_range_m_s2 / GRAVITY_M_S2)
            yield from self._set_number(GYR_RANGE, float(np.degrees(self.gyr_range_rad_s)))
        yield from self._start()

    def _start(self) -> Script:
        for _ in range(_TRIES):
            self._must(START, (yield from self._request(START)))
            if (yield Expect(lambda: self._stream is not None, _ANSWER_S)):
                return
        raise LinkError("The Talus sensor has started but does not say how to read its samples: check its firmware.")

    def _must(self, kind: int, answer: Answer) -> None:
        if answer.status != DONE:
            what = {START: "to start", STOP: "to stop", SAVE: "to save its settings", BLINK: "to blink"}[kind]
            raise LinkError(f"The Talus sensor refuses {what}: {STATUS.get(answer.status, answer.status)}.")

    def _set_number(self, item: int, value: float) -> Script:
        counts = NUMBERS[item][1]
        answer = yield from self._request(SET, bytes((item,)) + round(value * counts).to_bytes(2, "little"))
        if answer.status == DONE:
            return
        offered = yield from self._request(GET, bytes((item + OFFERED_RATES - RATE,)))
        _, told = told_by(GET, offered.data)
        refused = round(value * counts) / counts
        others = [v for v in told if v != refused] if isinstance(told, tuple) else []
        what, unit, key = {
            RATE: ("rate", "Hz", "rate"),
            ACC_RANGE: ("range", "g", "acc"),
            GYR_RANGE: ("range", "°/s", "gyr"),
        }[item]
        if not others:
            raise LinkError(
                f"The sensor does not take the {what} {value:g} {unit}, and offers no other: see its firmware."
            )
        listed, nearest = ", ".join(f"{v:g}" for v in others), min(others, key=lambda v: abs(v - value))
        raise LinkError(
            f"The sensor does not take the {what} {value:g} {unit}: choose one of {listed}, as in {key}={nearest:g}."
        )

    def stop(self) -> Script:
        """Stop streaming, and see that it did."""
        yield from self._request(STOP)

    def identify(self) -> Script:
        """Model, serial number, versions and name, as ``DeviceReply`` events."""
        for item in TEXTS:
            yield from self._request(GET, bytes((item,)))

    def poll_battery(self) -> Script:
        """Asked for once more; the device also reports by itself."""
        yield from self._request(GET, bytes((BATTERY_ITEM,)))

    def save(self) -> Script:
        """Keep the present settings over power-off. The device must stop streaming for it."""
        streamed = self._stream is not None
        self._must(STOP, (yield from self._request(STOP)))
        saved = yield from self._request(SAVE)
        self._stream = None
        if streamed:
            yield from self._start()
        self._must(SAVE, saved)

    def blink(self) -> Script:
        """Blink for five seconds."""
        self._must(BLINK, (yield from self._request(BLINK, b"\x05")))

    def rename(self, name: str) -> Script:
        """Give the device a name, until power-off unless it is saved."""
        text = name.encode("utf-8")
        if not 1 <= len(text) <= NAME_LIMIT:
            raise InputError(
                f"The name {name!r} does not fit into the sensor: it has room for 1 to {NAME_LIMIT} bytes."
            )
        answer = yield from self._request(SET, bytes((NAME,)) + text)
        if answer.status != DONE:
            raise LinkError(f"The Talus sensor does not take the name {name!r}: {STATUS.get(answer.status, 'error')}.")


def _sendable(what: str, wanted: float, unit: str, item: int) -> float:
    """``wanted`` as an item can hold it. Raises InputError where it cannot."""
    counts = NUMBERS[item][1]
    value = round(wanted * counts) / counts
    if not 1.0 <= value <= 65535 / counts:
        raise InputError(f"No board has the {what} {wanted:g} {unit}: choose one from 1 to {65535 // counts}.")
    return value
