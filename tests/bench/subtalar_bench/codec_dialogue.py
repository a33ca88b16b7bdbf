"""A codec and simulated firmware in conversation, without any wire, on a made-up clock."""

from typing import Any

from subtalar.errors import LinkError
from subtalar.protocol import DeviceProtocol, Event, Expect, Pause, Read, Script, Send


class CodecDialogue:
    """A codec's scripts taken step by step against simulated firmware, over GATT or a byte stream, on a made-up clock.

    ``events`` is all that was decoded, ``heard`` the bytes it came from, as (data, source), ``sent`` all that was
    written, as (target, data). ``refusal`` is what the firmware raises where the device refuses.
    """

    tick_s = 0.01
    refusal: type[Exception] = ConnectionRefusedError

    def __init__(self, protocol: DeviceProtocol, firmware: Any, now_s: float = 0.0) -> None:
        self.protocol, self.firmware, self.now_s = protocol, firmware, now_s
        self.events: list[Event] = []
        self.heard: list[tuple[bytes, str]] = []
        self.sent: list[tuple[str, bytes]] = []
        self.over_gatt = hasattr(firmware, "on_write") and protocol.gatt is not None
        if self.over_gatt:
            assert protocol.gatt is not None
            for uuid in protocol.gatt.notify:
                firmware.on_subscribe(uuid, subscribed=True, now_s=now_s)

    def run(self, script: Script) -> list[Event]:
        """Take the script to its end; what was decoded meanwhile. A refusal is a LinkError, as from a transport."""
        before = len(self.events)
        answer = True
        try:
            step = next(script)
            while True:
                answer = True
                try:
                    answer = self._take(step)
                except self.refusal as refusal:
                    raise LinkError(str(refusal)) from refusal
                step = script.send(answer)
        except StopIteration:
            return self.events[before:]

    def _take(self, step: Send | Pause | Expect | Read) -> bool:
        if isinstance(step, Pause):
            self.pass_time(step.duration_s)
        elif isinstance(step, Expect):
            deadline = self.now_s + step.timeout_s
            while not step.until() and self.now_s < deadline:
                self.pass_time(self.tick_s)
            return step.until()
        elif isinstance(step, Read):
            self._hear(self.firmware.on_read(step.source, self.now_s), step.source)
        elif self.over_gatt:
            assert self.protocol.gatt is not None
            target = step.to or self.protocol.gatt.write
            assert target is not None
            self.sent.append((target, step.data))
            self.firmware.on_write(target, step.data, self.now_s)
        else:
            self.sent.append(("", step.data))
            self.firmware.on_bytes(step.data, self.now_s)
        return True

    def _hear(self, data: bytes, source: str) -> None:
        self.heard.append((data, source))
        self.events += self.protocol.feed(data, source)

    def pass_time(self, duration_s: float) -> list[Event]:
        """Let the device go on; what was decoded meanwhile."""
        before = len(self.events)
        end_s = self.now_s + duration_s
        while self.now_s < end_s - 1e-9:
            self.now_s = min(self.now_s + self.tick_s, end_s)
            for payload in self.firmware.poll(self.now_s):
                self._hear(payload.data, payload.source)
        return self.events[before:]
