"""One sensor from first contact to the end: connect, configure, stream, watch, reconnect."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

import numpy as np

from subtalar.errors import LinkError
from subtalar.protocol import (
    BatteryLevel,
    DeviceMessage,
    DeviceProtocol,
    DeviceReply,
    Event,
    InertialSamples,
    Script,
)
from subtalar.shown import shown
from subtalar.transport import Chunk, OutOfReachError, Transport
from subtalar.types import BodySite, Ledger, LinkState, SampleBlock, SensorInfo, SensorStatus

from .clock import SessionClock
from .policy import LinkPolicy
from .rate_meter import SILENT_S, RateMeter
from .script_runner import ScriptRunner
from .sensor_ledger import SensorLedger
from .sink import Sink

_log = logging.getLogger(__name__)
_MAX_REPLIES = 64
_PENDING_DATA_S = 0.05
_FIRST_BATTERY_S = 1.0
_CHECKS_PER_PATIENCE = 4
"""A watchdog that slept through its whole patience could not tell how much of it the computer slept as well."""
_LATE_S = 0.25
"""Who wakes up so much later than he asked for has not waited but slept, and maybe the whole computer with him: the
Bluetooth service or a network peer on it need a moment, too."""

TransportMaker: TypeAlias = Callable[[], Transport]


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
        self._ledger = SensorLedger(site, protocol)
        self._rate = RateMeter()
        self._scripts = ScriptRunner(address or protocol.model, clock, self._raise_if_closed, self._on_chunk)
        self._closed = asyncio.Event()
        self._close_reason = ""
        self._failure: Exception | None = None
        self._link: LinkState = "idle"
        self._configured = False
        self._sample_at = 0.0
        self._last_arrival_s = -np.inf
        self._battery_percent: float | None = None
        self._missing_until_s: float | None = None
        self._ending = False
        self._last_message = ""

    # State ------------------------------------------------------------------------------------------------

    @property
    def clock_restarts(self) -> int:
        """How often the device's own clock began anew."""
        return self._ledger.clock_restarts

    def ledger(self) -> Ledger:
        """What became of the samples so far. Of a sensor that is gone, what it missed is counted when it is back."""
        return self._ledger.ledger(self._missing_until_s)

    def status(self) -> SensorStatus:
        """The sensor as it is shown and recorded; while it is gone, with about what is missing until now."""
        gone = self._link in ("silent", "reconnecting")
        ledger = self._ledger.ledger(self._clock.now_s()) if gone else self.ledger()
        rate_hz = self._rate.rate_hz(asyncio.get_running_loop().time()) if self._link == "streaming" else None
        return SensorStatus(self.info, self._link, rate_hz, self._battery_percent, ledger)

    def _set_link(self, link: LinkState) -> None:
        if link != self._link:
            self._link = link
            if link == "streaming":
                self.streaming.set()
            else:
                self.streaming.clear()
                self._rate.clear()
            self._sink.on_status(self.status())

    # Life -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Stream until cancelled, over as many connections as it takes.

        Raises LinkError if a sensor that never delivered a sample stays out of reach, and whatever the sink raises.
        """
        attempts = failures = 0
        try:
            while True:
                self._set_link("reconnecting" if self._ledger.ever_received else "connecting")
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
                if not self._ledger.ever_received and most is not None and attempts >= most:
                    raise LinkError(f"{self.info.site}: {self.last_error}")
                self._set_link("reconnecting" if self._ledger.ever_received else "connecting")
                await asyncio.sleep(self._policy.retry_wait_s(max(failures, 1)))
        finally:
            self.mark_end()
            self._set_link("ended")

    def mark_end(self) -> None:
        """It is about to be cancelled, perhaps one of several: what is missing of a silent sensor counts until now."""
        now_s = self._clock.now_s()
        if not self._ending and (self._link != "streaming" or self._ledger.silent_s(now_s) > SILENT_S):
            self._missing_until_s = now_s
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
        self._ledger.begin_connection()
        try:
            await transport.open(self._on_chunk, self._on_closed)
            self._scripts.transport = transport
            await self.perform(self.protocol.configure())
            self._configured = True
            await self._watch()
        except asyncio.CancelledError:
            self.mark_end()
            await self._stop_device()
            raise
        finally:
            self._scripts.transport = None
            await transport.close()

    async def _stop_device(self) -> None:
        if self._scripts.transport is None or self._closed.is_set():
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
                await self.perform(self.protocol.configure(), may_stop_stream=True)
                self._configured = True
            if polling.done():
                polling.result()
            if self._scripts.may_stop_stream:
                silent_s = 0.0
            patience_s = policy.silent_after_s if self._sample_at else policy.first_sample_s
            if silent_s >= patience_s:
                seen = self._sample_at
                await asyncio.sleep(_PENDING_DATA_S)
                if self._sample_at == seen:
                    self._raise_if_closed()
                    self._set_link("silent")
                    raise LinkError(self._silence())
            wait_s = max(min(patience_s - silent_s, patience_s / _CHECKS_PER_PATIENCE), 0.001)
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

    async def perform(self, script: Script, *, may_stop_stream: bool = False) -> None:
        """Take a codec's script step by step; one at a time. The silence of a sensor that the script may stop for a
        while is nobody's fault.

        Raises LinkError if there is no link or it ends meanwhile, and what the script raises.
        """
        await self._scripts.perform(script, may_stop_stream=may_stop_stream)

    # Data -------------------------------------------------------------------------------------------------

    def _on_closed(self, reason: str) -> None:
        self._close_reason = reason
        self._closed.set()
        self._scripts.data_arrived()

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
        self._scripts.data_arrived()

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
            self._log_message(event)

    def _log_message(self, message: DeviceMessage) -> None:
        if message.text != self._last_message:  # some say it every second
            _log.log(
                logging.WARNING if message.is_error else logging.INFO, "%s says: %s", self.name, shown(message.text)
            )
        self._last_message = message.text

    def _take_samples(self, batch: InertialSamples, arrival_s: float) -> None:
        self._sample_at = asyncio.get_running_loop().time()
        restarts = self._ledger.restarts_unannounced
        parts = self._ledger.take(batch, arrival_s)
        if self._ledger.restarts_unannounced > restarts and self.protocol.streams_unasked:
            self._configured = False  # it goes on at the rate that it has saved, until it is told again
        if self._link != "streaming":
            self._set_link("streaming")
        self._rate.note(self._sample_at, self._ledger.received)
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
