"""A WitMotion sensor as a Bluetooth LE peripheral with a real GATT server."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from bumble.att import ATT_Handle_Value_Notification, AttributeValue
from bumble.core import UUID, AdvertisingData
from bumble.gatt import Characteristic, Service

from subtalar_sim.firmware.witmotion_ble import NOTIFY_UUID, SERVICE_UUID, WRITE_UUID, WitMotionBle
from subtalar_sim.serve.radio import Radio

_ATT_HEADER: Final = 3


class WitMotionPeripheral:
    """The link of one ``WitMotionBle``: advertises while free, notifies while somebody has subscribed."""

    def __init__(self, radio: Radio, firmware: WitMotionBle, address: str, name: str = "WT901BLE67") -> None:
        self.address, self.name = address, name
        self._radio, self._firmware = radio, firmware
        advertising = bytes(
            AdvertisingData(
                [(AdvertisingData.FLAGS, b"\x06"), (AdvertisingData.COMPLETE_LOCAL_NAME, name.encode("ascii"))]
            )
        )
        self._device = radio.add_device(name, address, advertising)
        self.on_bytes: Callable[[bytes], None] = lambda _: None
        properties = Characteristic.Properties
        self._notify: Any = Characteristic(UUID(NOTIFY_UUID), properties.NOTIFY, Characteristic.READABLE, b"")
        write: Any = Characteristic(
            UUID(WRITE_UUID),
            properties.WRITE | properties.WRITE_WITHOUT_RESPONSE,
            Characteristic.WRITEABLE,
            AttributeValue(write=self._written),
        )
        self._device.add_service(Service(UUID(SERVICE_UUID), [self._notify, write]))
        self._notify.on(Characteristic.EVENT_SUBSCRIPTION, self._subscribed)
        self._device.on("connection", self._connected)
        self._connection: Any = None
        self._subscribed_now = False
        self._reachable = True
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Advertise; the radio must be powered."""
        await self._device.start_advertising(auto_restart=False)

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
        """Connected and subscribed."""
        return self._connection is not None and self._subscribed_now

    def send(self, data: bytes) -> bool:
        """One notification; False if there is nobody to send it to."""
        if not self.listening:
            return False
        pdu = ATT_Handle_Value_Notification(attribute_handle=self._notify.handle, attribute_value=data)
        self._device.gatt_server.send_gatt_pdu(self._connection, bytes(pdu))
        return True

    def take_down(self) -> None:
        """Break the link and fall silent."""
        self._reachable = False
        self._spawn(self._go_dark())

    def bring_up(self) -> None:
        """Advertise again."""
        self._reachable = True
        self._spawn(self._advertise())

    async def _go_dark(self) -> None:
        if self._device.is_advertising:
            await self._device.stop_advertising()
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
        self._connection, self._subscribed_now = connection, False
        self._fit(connection)
        connection.on("connection_att_mtu_update", lambda: self._fit(connection))
        connection.on("disconnection", self._disconnected)
        if not self._reachable:
            self._spawn(self._go_dark())

    def _fit(self, connection: Any) -> None:
        self._firmware.max_payload = connection.att_mtu - _ATT_HEADER

    def _disconnected(self, _reason: object) -> None:
        self._connection, self._subscribed_now = None, False
        if self._reachable:
            self._spawn(self._advertise())

    def _subscribed(self, _bearer: object, notify: bool, _indicate: bool) -> None:
        self._subscribed_now = bool(notify)

    def _written(self, _connection: object, value: bytes) -> None:
        self.on_bytes(bytes(value))
