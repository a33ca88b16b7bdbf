"""One sensor from first contact to the end: connect, configure, stream, watch, reconnect."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeAlias

import numpy as np

from subtalar.errors import LinkError
from subtalar.protocol import (
    BatteryLevel,
    DeviceMessage,
    DeviceProtocol,
    DeviceReply,
    Event,
    Expect,
    InertialSamples,
    Pause,
    Read,
    Script,
    Send,
)
from subtalar.shown import shown
from subtalar.transport import Chunk, OutOfReachError, Transport
from subtalar.types import BodySite, Ledger, LinkState, SampleBlock, SensorInfo, SensorStatus

from .accounts import Accounts
from .clock import SessionClock
from .policy import LinkPolicy

_log = logging.getLogger(__name__)
_MAX_REPLIES = 64
_PENDING_DATA_S = 0.05
_FIRST_BATTERY_S = 1.0
RATE_OVER_S = 4.0
"""The rate of a sensor is measured over so long."""
_RATE_EVERY_S, _RATE_FROM_S = 0.1, 0.8
_SILENT_S = 0.5
"""No batch takes so long, nor most stalls of a radio: a rate falls from then on, and what is silent at the end counts
as lost."""
_LOOKS = 4
"""A watchdog that slept through its whole patience could not tell how much of it the computer slept as well."""
_LATE_S = 0.25
"""Who wakes up so much later than he asked for has not waited but slept, and maybe the whole computer with him: the
Bluetooth service or a network peer on it need a moment, too."""

TransportMaker: TypeAlias = Callable[[], Transport]


class Sink(Protocol):
    """Where a sensor's data go. Called in the event loop, in order; must be quick. What it raises ends the stream."""

    def on_chunk(self, site: BodySite, arrival_s: float, data: bytes, source: str) -> None:
        """Raw bytes as they arrived, for a recording that can be decoded again. ``source``: see ``Chunk``."""
        ...

    def on_block(self, block: SampleBlock) -> None:
        """Samples. Both times are raw: the device clock is not fitted to the session clock here."""
        ...

    def on_status(self, status: SensorStatus) -> None:
        """The link changed. What else there is to know changes all the time: ask ``SensorStream.status``."""
        ...


class SensorStream:
    """Runs one sensor until cancelled.

    ``make_transport`` gives a fresh transport for every attempt. Blocks carry the raw arrival in session seconds
    (never decreasing) and, where the device has one, its clock; a device time before the last one means the device
    restarted. Samples that a device sends before it is configured are recorded raw but not passed on.
    """

    def __init__(
        self,
        site: BodySite,
        protocol: DeviceProtocol,
        make_transport: TransportMaker,
        clock: SessionClock,
        sink: Sink,
        policy: LinkPolicy | None = None,
        address: str = "",
    ) -> None:
        self.info = SensorInfo(
            site, protocol.rate_hz, protocol.acc_range_m_s2, protocol.gyr_range_rad_s, protocol.model, address
        )
        self.protocol = protocol
        self.name = str(site)
        self.last_error = ""
        self.replies: dict[str, object] = {}
        self.streaming = asyncio.Event()
        self._make_transport, self._clock, self._sink = make_transport, clock, sink
        self._policy = policy or LinkPolicy()
        self._accounts = Accounts(site, protocol)
        self._transport: Transport | None = None
        self._talk = asyncio.Lock()
        self._fed = asyncio.Event()
        self._closed = asyncio.Event()
        self._close_reason = ""
        self._failure: Exception | None = None
        self._link: LinkState = "idle"
        self._configured = False
        self._sample_at = 0.0
        self._last_arrival_s = -np.inf
        self._battery_percent: float | None = None
        self._gone_until_s: float | None = None
        self._ending = self._host_stopped_it = False
        self._last_note = ""
        self._received_at: deque[tuple[float, int]] = deque()

    # State ------------------------------------------------------------------------------------------------

    @property
    def clock_restarts(self) -> int:
        """How often the device's own clock began anew."""
        return self._accounts.clock_restarts

    def ledger(self) -> Ledger:
        """What became of the samples so far. Of a sensor that is gone, what it missed is counted when it is back."""
        return self._accounts.ledger(self._gone_until_s)

    def status(self) -> SensorStatus:
        """The sensor as it is shown and recorded; while it is gone, with about what is missing until now."""
        gone = self._link in ("silent", "reconnecting")
        ledger = self._accounts.ledger(self._clock.now_s()) if gone else self.ledger()
        return SensorStatus(self.info, self._link, self._rate_hz(), self._battery_percent, ledger)

    def _note_rate(self) -> None:
        if not self._received_at or self._sample_at - self._received_at[-1][0] >= _RATE_EVERY_S:
            self._received_at.append((self._sample_at, self._accounts.received))
        while self._sample_at - self._received_at[0][0] > RATE_OVER_S:
            self._received_at.popleft()

    def _rate_hz(self) -> float | None:
        if self._link != "streaming" or not self._received_at:
            return None
        (t0, n0), (t1, n1) = self._received_at[0], self._received_at[-1]
        t1 = max(t1, asyncio.get_running_loop().time() - _SILENT_S)
        return (n1 - n0) / (t1 - t0) if t1 - t0 >= _RATE_FROM_S else None

    def _set_link(self, link: LinkState) -> None:
        if link != self._link:
            self._link = link
            if link == "streaming":
                self.streaming.set()
            else:
                self.streaming.clear()
                self._received_at.clear()
            self._sink.on_status(self.status())

    # Life -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Stream until cancelled, over as many connections as it takes.

        Raises LinkError if a sensor that never delivered a sample stays out of reach, and whatever the sink raises.
        """
        attempts = failures = 0
        try:
            while True:
                self._set_link("reconnecting" if self._accounts.ever_received else "connecting")
                try:
                    await self._one_connection()
                except OutOfReachError as error:
                    self._note_failure(error)
                    failures = 0  # patience would only miss the sensor's return
                except LinkError as error:
                    self._note_failure(error)
                    failures = 1 if self._configured and self._sample_at else failures + 1
                attempts += 1
                most = self._policy.first_attempts
                if not self._accounts.ever_received and most is not None and attempts >= most:
                    raise LinkError(f"{self.info.site}: {self.last_error}")
                self._set_link("reconnecting" if self._accounts.ever_received else "connecting")
                await asyncio.sleep(self._policy.retry_wait_s(max(failures, 1)))
        finally:
            self.note_end()
            self._set_link("ended")

    def note_end(self) -> None:
        """It is about to be cancelled, perhaps one of several: what is missing of a silent sensor counts until now."""
        now_s = self._clock.now_s()
        if not self._ending and (self._link != "streaming" or self._accounts.silent_s(now_s) > _SILENT_S):
            self._gone_until_s = now_s
        self._ending = True

    def _note_failure(self, error: LinkError) -> None:
        self.last_error = str(error)
        _log.info("%s: %s", self.name, error)

    async def _one_connection(self) -> None:
        """Connect, configure and watch. Always ends by raising: LinkError, the sink's error, or cancellation."""
        transport = self._make_transport()
        self._closed.clear()
        self._configured, self._sample_at, self._close_reason = False, 0.0, ""
        self.protocol.reset()
        self._accounts.connecting()
        try:
            await transport.open(self._on_chunk, self._on_closed)
            self._transport = transport
            await self.perform(self.protocol.configure())
            self._configured = True
            await self._watch()
        except asyncio.CancelledError:
            self.note_end()
            await self._say_goodbye()
            raise
        finally:
            self._transport = None
            await transport.close()

    async def _say_goodbye(self) -> None:
        if self._transport is None or self._closed.is_set():
            return
        try:
            async with asyncio.timeout(self._policy.stop_timeout_s):
                await self.perform(self.protocol.stop())
        except (LinkError, TimeoutError) as error:
            _log.info("%s: not stopped: %s", self.name, error)

    async def _watch(self) -> None:
        """Watch the data, not the link's word: a dead stack may call itself connected for ever."""
        polling = asyncio.create_task(self._poll_battery(), name=f"battery {self.info.site}")
        try:
            await self._watch_data(polling)
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)

    async def _watch_data(self, polling: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        policy = self._policy
        woke = loop.time()
        silent_s = 0.0
        while True:
            self._raise_if_closed()
            if not self._configured:
                await self.perform(self.protocol.configure(), may_stop_it=True)
                self._configured = True
            if polling.done():
                polling.result()
            if self._host_stopped_it:
                silent_s = 0.0
            patience_s = policy.silent_after_s if self._sample_at else policy.first_sample_s
            if silent_s >= patience_s:
                seen = self._sample_at
                await asyncio.sleep(_PENDING_DATA_S)
                if self._sample_at == seen:
                    self._raise_if_closed()
                    self._set_link("silent")
                    raise LinkError(self._silence())
            wait_s = max(min(patience_s - silent_s, patience_s / _LOOKS), 0.001)
            asked = loop.time()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._closed.wait()
            woke = loop.time()
            # Only time in which somebody would have heard it counts as silence.
            waited_s = woke - asked if woke - asked < wait_s + _LATE_S else wait_s
            silent_s = min(silent_s + waited_s, woke - self._sample_at)

    async def _poll_battery(self) -> None:
        """Beside the watch: a sensor gone out of range answers no question, and must not be waited for."""
        interval_s = self.protocol.battery_poll_interval_s
        if interval_s is None:
            return
        await asyncio.sleep(_FIRST_BATTERY_S)
        while True:
            if self._sample_at:
                try:
                    await self.perform(self.protocol.poll_battery())
                except LinkError as error:  # whether the link is dead is for the data to say
                    _log.info("%s: no battery level: %s", self.name, error)
            await asyncio.sleep(interval_s if self._sample_at else _FIRST_BATTERY_S)

    def _silence(self) -> str:
        name = self.info.address or self.info.model
        if self._sample_at:
            return f"The sensor {name} has stopped sending data."
        return (
            f"{name} is connected but sends nothing that a {self.info.model} would: "
            "check that it is switched on, and the address and model= of its device spec."
        )

    def _raise_if_closed(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed.is_set():
            raise LinkError(self._close_reason)

    # Conversation -----------------------------------------------------------------------------------------

    async def perform(self, script: Script, *, may_stop_it: bool = False) -> None:
        """Take a codec's script step by step; one conversation at a time. The silence of a sensor that the script may
        stop for a while is nobody's fault.

        Raises LinkError if there is no link or it ends meanwhile, and what the script raises.
        """
        async with self._talk:
            answer = True
            self._host_stopped_it = may_stop_it
            try:
                step = next(script)
                while True:
                    answer = await self._take_step(step)
                    step = script.send(answer)
            except StopIteration:
                return
            finally:
                self._host_stopped_it = False
                script.close()

    async def _take_step(self, step: Send | Pause | Expect | Read) -> bool:
        if isinstance(step, Pause):
            await asyncio.sleep(step.duration_s)
            return True
        if isinstance(step, Expect):
            return await self._until(step)
        transport = self._transport
        if transport is None:
            raise LinkError(f"The sensor {self.info.address or self.info.model} is not connected.")
        if isinstance(step, Send):
            await transport.write(step.data, step.to, with_response=step.with_response)
        else:
            data = await transport.read(step.source)
            self._on_chunk(Chunk(self._clock.now_ns(), data, step.source))
        return True

    async def _until(self, step: Expect) -> bool:
        deadline = asyncio.get_running_loop().time() + step.timeout_s
        while not step.until():
            self._raise_if_closed()
            self._fed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._fed.wait()
            except TimeoutError:
                return step.until()
        return True

    # Data -------------------------------------------------------------------------------------------------

    def _on_closed(self, reason: str) -> None:
        self._close_reason = reason
        self._closed.set()
        self._fed.set()

    def _on_chunk(self, chunk: Chunk) -> None:
        if self._failure is not None:
            return
        arrival_s = self._last_arrival_s = max(self._clock.to_session_s(chunk.arrival_ns), self._last_arrival_s)
        try:
            self._sink.on_chunk(self.info.site, arrival_s, chunk.data, chunk.source)
            for event in self.protocol.feed(chunk.data, chunk.source):
                self._take_event(event, arrival_s)
        except Exception as error:  # a callback of a foreign library must not swallow it: run() raises it
            self._failure = error
            self._closed.set()
        self._fed.set()

    def _take_event(self, event: Event, arrival_s: float) -> None:
        if isinstance(event, InertialSamples):
            if self._configured:
                self._take_samples(event, arrival_s)
        elif isinstance(event, BatteryLevel):
            self._battery_percent = event.percent
        elif isinstance(event, DeviceReply):
            if len(self.replies) < _MAX_REPLIES or event.key in self.replies:
                self.replies[event.key] = event.value
        elif isinstance(event, DeviceMessage):
            self._take_note(event)

    def _take_note(self, note: DeviceMessage) -> None:
        if note.text != self._last_note:  # some say it every second
            _log.log(logging.WARNING if note.is_error else logging.INFO, "%s says: %s", self.name, shown(note.text))
        self._last_note = note.text

    def _take_samples(self, batch: InertialSamples, arrival_s: float) -> None:
        self._sample_at = asyncio.get_running_loop().time()
        restarts = self._accounts.restarts_unannounced
        parts = self._accounts.take(batch, arrival_s)
        if self._accounts.restarts_unannounced > restarts and self.protocol.streams_unasked:
            self._configured = False  # it goes on at the rate that it has saved, until it is told again
        if self._link != "streaming":
            self._set_link("streaming")
        self._note_rate()
        for part in parts:
            times = part.device_time_us
            self._sink.on_block(
                SampleBlock(
                    self.info.site,
                    None if times is None else times.astype(np.float64) * 1e-6,
                    np.full(len(part), arrival_s),
                    part.acc_m_s2,
                    part.gyr_rad_s,
                )
            )
