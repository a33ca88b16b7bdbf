"""Where the frames of a Shimmer3 begin and end.

Sources: ShimmerResearch/log-and-stream-common, ``Comms/shimmer_bt_uart.c`` (what goes out in one piece) and
``Extras/python_scripts/Shimmer_common/shimmer_crc.py``; seemoo-lab/pyshimmer (captured replies).

A frame is a packet (00), an ack (FF) with or without a reply behind it, a refusal (FE) or an in-stream answer (8A).
With the CRC (16 bits over all that goes out in one piece, an ack and its reply together) a frame stands for itself.
Without, a packet in step is taken on the strength of its first byte; out of step, two packet starts must agree.
That the CRC is on shows in the ack of the command that turned it on.
"""

from binascii import crc_hqx
from collections.abc import Iterator
from typing import Final, Literal

from .base import DecoderHealth

PACKET, ACK, NACK, IN_STREAM = 0x00, 0xFF, 0xFE, 0x8A
INQUIRY, RATE, HARDWARE, CALIBRATION, FIRMWARE = 0x02, 0x04, 0x25, 0x2D, 0x2F
SERIAL, NAME, CLOCK = 0x3D, 0x7A, 0x90
STATUS, BATTERY = 0x71, 0x94
"""Second byte of an in-stream answer."""

CALIBRATION_BYTES: Final = 84
CRC_BYTES: Final = 2
TIME_WRAP: Final = 1 << 24
LONGEST_STEP_TICKS: Final = 4 * 32768
"""Between two packets of an unbroken stream."""

_REPLY_BYTES: Final = {RATE: 3, HARDWARE: 2, CALIBRATION: 1 + CALIBRATION_BYTES, FIRMWARE: 7, SERIAL: 9, CLOCK: 9}
_IN_STREAM_BYTES: Final = {STATUS: 3, BATTERY: 5}
_INQUIRY_BYTES: Final = 9
_MOST_CHANNELS: Final = 45
_LONGEST_NAME: Final = 32
_WINDOW: Final = 512
"""Bounds what one loss of step makes us look at again."""

FrameKind = Literal["packets", "ack", "nack", "reply"]


def crc(data: bytes) -> int:
    """CRC-16 of the CCITT polynomial from seed B0CA; odd lengths are padded with a zero."""
    value = crc_hqx(data, 0xB0CA)
    return crc_hqx(b"\0", value) if len(data) % 2 else value


_CRC_OF_ACK: Final = crc(b"\xff").to_bytes(CRC_BYTES, "little")


class FrameCutter:
    """Cuts a byte stream into frames. The reader of the frames sets ``body_bytes``, the length of a packet without
    CRC, as soon as a reply tells it; 0 = not known, and no packet is one.
    """

    def __init__(self, health: DecoderHealth) -> None:
        self._health = health
        self._tail = b""
        self.restart()

    def restart(self) -> None:
        """Somebody has just connected: CRC off, layout unknown. What was held counts as corrupt."""
        self._health.corrupt_bytes += len(self._tail)
        self._tail = b""
        self._in_step = True
        self._is_after_ack = False
        self.crc_bytes = 0
        self.body_bytes = 0

    @property
    def packet_bytes(self) -> int:
        """Length of a packet with its CRC."""
        return self.body_bytes + self.crc_bytes

    def cut(self, data: bytes) -> Iterator[tuple[FrameKind, bytes]]:
        """Frames in order; ``packets`` come as runs of whole packets with their CRCs, replies without ack and CRC.

        Must be run to its end; ``body_bytes`` may be set on the way.
        """
        buffer = self._tail + data if self._tail else data
        at = 0
        while at < len(buffer):
            if not self._in_step:
                at = self._find_step(buffer, at)
                if not self._in_step:
                    break
            run = self._run_of_packets(buffer, at)
            if run:
                self._is_after_ack = False
                yield "packets", buffer[at : at + run]
                at += run
                continue
            used, frames = self._control(buffer, at)
            if used == 0:
                break
            if used > 0:
                yield from frames
                at += used
            elif self.body_bytes:
                self._in_step = False
                self._health.resyncs += 1
            else:  # before the inquiry nothing tells where a packet ends: what somebody left streaming goes by
                at += 1
                self._health.corrupt_bytes += 1
        self._tail = bytes(buffer[at:])

    def _is_intact(self, buffer: bytes, at: int, n: int) -> bool:
        """Whether the CRC behind the ``n`` bytes at ``at`` is theirs."""
        end = at + n
        return crc(buffer[at:end]) == buffer[end] | buffer[end + 1] << 8

    def _run_of_packets(self, buffer: bytes, at: int) -> int:
        """Bytes of the good whole packets that begin at ``at``."""
        size, body = self.packet_bytes, self.body_bytes
        if not body or len(buffer) - at < size:
            return 0
        n = min((len(buffer) - at) // size, _WINDOW)
        heads = buffer[at : at + n * size : size]
        n -= len(heads.lstrip(b"\0"))
        if self.crc_bytes:
            n = next((i for i in range(n) if not self._is_intact(buffer, at + i * size, body)), n)
        return n * size

    def _control(self, buffer: bytes, at: int) -> tuple[int, list[tuple[FrameKind, bytes]]]:
        """What is not a packet: bytes used (0 if more are needed, -1 if no frame begins here) and its frames."""
        if buffer[at] == PACKET:
            return 0 if self.body_bytes and len(buffer) - at < self.packet_bytes else -1, []
        return self._checked(buffer, at) if self.crc_bytes else self._unchecked(buffer, at)

    def _unchecked(self, buffer: bytes, at: int) -> tuple[int, list[tuple[FrameKind, bytes]]]:
        head, held = buffer[at], len(buffer) - at
        if head in (ACK, NACK):
            self._is_after_ack = head == ACK
            return 1, [("ack" if head == ACK else "nack", b"")]
        if self._is_after_ack and head == _CRC_OF_ACK[0]:
            used = CRC_BYTES if buffer[at : at + CRC_BYTES] == _CRC_OF_ACK[:held] else -1
        elif self._is_after_ack or head == IN_STREAM:
            used = self._reply_bytes(buffer, at)
        else:
            return -1, []
        if used == 0 or used > held:
            return 0, []
        self._is_after_ack = False
        if used > 0 and head == _CRC_OF_ACK[0]:
            self.crc_bytes = CRC_BYTES
            return used, []
        return used, [("reply", buffer[at : at + used])] if used > 0 else []

    def _checked(self, buffer: bytes, at: int) -> tuple[int, list[tuple[FrameKind, bytes]]]:
        head, held = buffer[at], len(buffer) - at
        if head not in (ACK, NACK, IN_STREAM):
            return -1, []
        if held < 1 + CRC_BYTES:
            return 0, []
        if head != IN_STREAM and self._is_intact(buffer, at, 1):
            return 1 + CRC_BYTES, [("ack" if head == ACK else "nack", b"")]
        begin = at + (head == ACK)
        body = self._reply_bytes(buffer, begin) if head != NACK else -1
        if body <= 0:
            return body, []
        end = begin + body
        if len(buffer) < end + CRC_BYTES:
            return 0, []
        if not self._is_intact(buffer, at, end - at):
            return -1, []
        frames: list[tuple[FrameKind, bytes]] = [("reply", buffer[begin:end])]
        if begin > at and buffer[begin] != IN_STREAM:  # before an in-stream answer it may be one nobody asked for
            frames.insert(0, ("ack", b""))
        return end + CRC_BYTES - at, frames

    def _reply_bytes(self, buffer: bytes, at: int) -> int:
        """Length of the reply that begins at ``at``, 0 if more must be seen to know it, -1 if none does."""
        head, held = buffer[at], len(buffer) - at
        if head == INQUIRY:
            if held < _INQUIRY_BYTES:
                return 0
            channels = buffer[at + 7]
            return _INQUIRY_BYTES + channels if channels <= _MOST_CHANNELS else -1
        if head in (IN_STREAM, NAME):
            if held < 2:
                return 0
            second = buffer[at + 1]
            if head == IN_STREAM:
                return _IN_STREAM_BYTES.get(second, -1)
            return 2 + second if second <= _LONGEST_NAME else -1
        return _REPLY_BYTES.get(head, -1)

    def _find_step(self, buffer: bytes, at: int) -> int:
        """Move to the next confirmed frame, or to the first byte at which one may still begin."""
        begin, end = at, len(buffer)
        heads = (PACKET, ACK, NACK, IN_STREAM) if self.crc_bytes else (PACKET,)
        while at < end:
            if buffer[at] in heads:
                found = self._confirmed(buffer, at)
                if found is not False:
                    self._in_step = found is True
                    break
            at += 1
        self._health.corrupt_bytes += at - begin
        return at

    def _confirmed(self, buffer: bytes, at: int) -> bool | None:
        """Whether a frame begins at ``at``; None while too few bytes are there to tell."""
        held, size = len(buffer) - at, self.packet_bytes
        if self.crc_bytes:
            if buffer[at] == PACKET:
                return None if held < size else self._is_intact(buffer, at, self.body_bytes)
            used, _ = self._checked(buffer, at)
            return None if used == 0 else used > 0
        if held > size and buffer[at + size] != PACKET:
            return False
        if held < size + 4:
            return None
        first, second = (int.from_bytes(buffer[p + 1 : p + 4], "little") for p in (at, at + size))
        return 0 < (second - first) % TIME_WRAP <= LONGEST_STEP_TICKS
