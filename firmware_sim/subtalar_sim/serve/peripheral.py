"""Any ``GattFirmware`` as a Bluetooth LE peripheral with a real GATT server."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from bumble.att import ATT_Error, ATT_Handle_Value_Notification, AttributeValue
from bumble.core import UUID, AdvertisingData
from bumble.gatt import Characteristic, Service

from subtalar_sim.firmware import GattFirmware
from subtalar_sim.firmware.base import GattCharacteristic, RefusedByDevice
from subtalar_sim.serve.radio import Radio
from subtalar_sim.types import Payload

_ATT_HEADER: Final = 3
_LEAST_MTU: Final = 23
_PROPERTIES: Final = {
    "read": Characteristic.Properties.READ,
    "write": Characteristic.Properties.WRITE,
    "write_without_response": Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
    "notify": Characteristic.Properties.NOTIFY,
}


class GattPeripheral:
    """The link of one device: advertises while free, and takes the firmware's payloads once somebody subscribed.

    ``now_s`` tells the session time; ``on_activity`` is called after the host read, wrote or subscribed. A read or
    write that the firmware refuses is answered with its ATT error. A lost link turns every notification off. ``mtu``:
    the most that it agrees to. ``supervision_s``: how long the other end of a broken link takes it for one; Bumble has
    no such timeout of its own, and a device that is back sooner ends the old link at once.
    """

    def __init__(
        self,
        radio: Radio,
        firmware: GattFirmware,
        address: str,
        now_s: Callable[[], float],
        mtu: int | None = None,
        supervision_s: float = 0.0,
    ) -> None:
        self.address, self.refusals = address, 0
        self.on_activity: Callable[[], None] = lambda: None
        self._radio, self._firmware, self._now_s = radio, firmware, now_s
        name = firmware.name.encode("utf-8")
        advertising = bytes(
            AdvertisingData([(AdvertisingData.FLAGS, b"\x06"), (AdvertisingData.COMPLETE_LOCAL_NAME, name)])
        )
        self._device = radio.add_device(firmware.name, address, advertising)
        if mtu is not None:
            self._device.gatt_server.max_mtu = mtu
        self._characteristics: dict[str, Any] = {}
        for service in firmware.services:
            parts = [self._make(c) for c in service.characteristics]
            self._device.add_service(Service(UUID(service.uuid), parts))
        self._device.on("connection", self._connected)
        self._connection: Any = None
        self._subscribed: dict[str, None] = {}  # in order
        self._reachable = True
        self._supervision_s = supervision_s
        self._in_reach = asyncio.Event()
        self._in_reach.set()
        self._tasks: set[asyncio.Task[None]] = set()

    def _make(self, characteristic: GattCharacteristic) -> Any:
        uuid, can = characteristic.uuid, characteristic.can
        properties = Characteristic.Properties(0)
        for word in can:
            properties |= _PROPERTIES[word]
        permissions = Characteristic.Permissions(0)
        if "read" in can:
            permissions |= Characteristic.READABLE
        if can & {"write", "write_without_response"}:
            permissions |= Characteristic.WRITEABLE
        value: Any = AttributeValue(
            read=lambda _connection: self._read(uuid), write=lambda _connection, data: self._written(uuid, data)
        )
        made: Any = Characteristic(UUID(uuid), properties, permissions, value)
        made.on(Characteristic.EVENT_SUBSCRIPTION, lambda _bearer, notify, _indicate: self._switch(uuid, bool(notify)))
        self._characteristics[uuid] = made
        return made

    async def start(self) -> None:
        """Advertise; the radio must be powered."""
        await self._advertise()

    async def stop(self) -> None:
        """Vanish for good."""
        self._reachable = False
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection is not None:
            await self._radio.hang_up(self._connection)

    @property
    def listening(self) -> bool:
        """Connected, and subscribed to anything."""
        return self._reachable and self._connection is not None and bool(self._subscribed)

    def send(self, payload: Payload) -> bool:
        """One notification of ``payload.source``; False if nobody has subscribed to that."""
        uuid = payload.source or next(iter(self._subscribed), "")
        if self._connection is None or uuid not in self._subscribed:
            return False
        handle = self._characteristics[uuid].handle
        pdu = ATT_Handle_Value_Notification(attribute_handle=handle, attribute_value=payload.data)
        self._device.gatt_server.send_gatt_pdu(self._connection, bytes(pdu))
        return True

    def take_down(self) -> None:
        """Break the link and fall silent."""
        self._reachable = False
        self._in_reach.clear()
        self._spawn(self._go_dark())

    def bring_up(self) -> None:
        """Advertise again."""
        self._reachable = True
        self._in_reach.set()
        self._spawn(self._advertise())

    async def _go_dark(self) -> None:
        if self._device.is_advertising:
            await self._device.stop_advertising()
        if self._supervision_s:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._supervision_s):
                    await self._in_reach.wait()
        if self._connection is not None:
            await self._radio.hang_up(self._connection)

    async def _advertise(self) -> None:
        if self._reachable and self._connection is None and not self._device.is_advertising:
            await self._device.start_advertising(auto_restart=False)

    def _spawn(self, job: Any) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _connected(self, connection: Any) -> None:
        self._connection = connection
        self._fit(connection)
        connection.on("connection_att_mtu_update", lambda: self._fit(connection))
        connection.on("disconnection", self._disconnected)
        if self.refusals:
            self.refusals -= 1
            self._spawn(self._radio.hang_up(connection))
        elif not self._reachable:
            self._spawn(self._go_dark())

    def _fit(self, connection: Any) -> None:
        self._firmware.max_payload = connection.att_mtu - _ATT_HEADER

    def _disconnected(self, _reason: object) -> None:
        self._connection = None
        for uuid in list(self._subscribed):
            self._switch(uuid, subscribed=False)
        self._firmware.max_payload = _LEAST_MTU - _ATT_HEADER
        if self._reachable:
            self._spawn(self._advertise())

    def _switch(self, uuid: str, subscribed: bool) -> None:
        if subscribed == (uuid in self._subscribed):
            return  # clients say it twice
        if subscribed:
            self._subscribed[uuid] = None
        else:
            self._subscribed.pop(uuid, None)
        self._firmware.on_subscribe(uuid, subscribed=subscribed, now_s=self._now_s())
        self.on_activity()

    async def _read(self, uuid: str) -> bytes:
        await self._in_reach.wait()
        try:
            return self._firmware.on_read(uuid, self._now_s())
        except RefusedByDevice as refusal:
            raise ATT_Error(refusal.att_error) from refusal
        finally:
            self.on_activity()

    async def _written(self, uuid: str, data: bytes) -> None:
        await self._in_reach.wait()
        try:
            self._firmware.on_write(uuid, bytes(data), self._now_s())
        except RefusedByDevice as refusal:
            raise ATT_Error(refusal.att_error) from refusal
        finally:
            self.on_activity()
