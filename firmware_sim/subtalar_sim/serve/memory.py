"""A wire inside this program: no radio, no port, and any clock, so that hours pass in seconds."""

from collections.abc import Callable
from typing import cast

from subtalar_sim.firmware import Firmware, GattFirmware
from subtalar_sim.firmware.base import NoticesLostLink, RefusedByDevice
from subtalar_sim.types import Payload

_LARGEST_PAYLOAD = 244


class MemoryLink:
    """Both ends of one device's wire; the host's end is ``connect``, ``write``, ``read``, ``subscribe``, ``hang_up``.

    They raise ConnectionError where a radio or port would fail. What is sent arrives at once. ``transport``: which wire
    it stands for. Over ``ble`` and ``tcp`` both ends learn that a link is lost; over others there is silence.
    """

    def __init__(
        self,
        firmware: Firmware | GattFirmware,
        now_s: Callable[[], float],
        mtu: int | None = None,
        *,
        transport: str,
    ) -> None:
        self.refusals = 0
        self.on_activity: Callable[[], None] = lambda: None
        self._firmware, self._now_s = firmware, now_s
        self._gatt = cast(GattFirmware, firmware) if transport == "ble" else None
        if self._gatt is not None:
            self._gatt.max_payload = _LARGEST_PAYLOAD if mtu is None else min(_LARGEST_PAYLOAD, mtu - 3)
        self._receive: Callable[[bytes, str], None] | None = None
        self._hung_up: Callable[[], None] = lambda: None
        self._subscribed: set[str] = set()
        self._reachable = True
        self._tells = transport in ("ble", "tcp")

    @property
    def listening(self) -> bool:
        """Connected and in reach, and subscribed where that is needed."""
        return self._reachable and self._receive is not None and (self._gatt is None or bool(self._subscribed))

    def send(self, payload: Payload) -> bool:
        """One payload to the host; False if it does not want it."""
        if (
            not self._reachable
            or self._receive is None
            or ((payload.source or not self.listening) and payload.source not in self._subscribed)
        ):
            return False
        self._receive(payload.data, payload.source)
        return True

    def take_down(self) -> None:
        """Break the link and stay out of reach."""
        self._reachable = False
        if not self._tells:
            return
        told = self._hung_up
        self.hang_up()
        told()

    def bring_up(self) -> None:
        """Be within reach again."""
        self._reachable = True

    def connect(self, receive: Callable[[bytes, str], None], hung_up: Callable[[], None]) -> None:
        """``receive`` gets bytes and the characteristic; ``hung_up`` is called once if the device's end breaks it."""
        if not self._reachable and self._tells:
            raise ConnectionError("out of reach")
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("refused")
        self._receive, self._hung_up = receive, hung_up
        self.on_activity()

    def hang_up(self) -> None:
        """The host leaves; notifications are off after that."""
        firmware = self._firmware
        if self._tells and self._gatt is None and self._receive and isinstance(firmware, NoticesLostLink):
            firmware.on_link_lost(self._now_s())
        self._receive, self._hung_up = None, lambda: None
        for uuid in sorted(self._subscribed):
            self._subscribed.discard(uuid)
            if self._gatt is not None:
                self._gatt.on_subscribe(uuid, subscribed=False, now_s=self._now_s())

    def subscribe(self, uuid: str) -> None:
        """Turn notifications of a characteristic on."""
        self._subscribed.add(uuid)
        self._connected_gatt().on_subscribe(uuid, subscribed=True, now_s=self._now_s())
        self.on_activity()

    def write(self, data: bytes, to: str) -> None:
        """Bytes to the device, or to one of its characteristics."""
        if self._receive is None:
            raise ConnectionError("not connected")
        if not self._reachable:
            return
        try:
            if self._gatt is not None:
                self._gatt.on_write(to, data, self._now_s())
            else:
                cast(Firmware, self._firmware).on_bytes(data, self._now_s())
        except RefusedByDevice as refusal:
            raise ConnectionError(str(refusal)) from refusal
        self.on_activity()

    def read(self, source: str) -> bytes:
        """What a characteristic holds."""
        try:
            return self._connected_gatt().on_read(source, self._now_s())
        except RefusedByDevice as refusal:
            raise ConnectionError(str(refusal)) from refusal

    def _connected_gatt(self) -> GattFirmware:
        if self._gatt is None or self._receive is None:
            raise ConnectionError("not connected")
        return self._gatt
