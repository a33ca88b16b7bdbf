"""bleak backends that reach the radio inside this process instead of the machine's adapter.

``backends_for(radio)`` makes the two classes that ``BleakClient(..., backend=...)`` and ``BleakScanner(...,
backend=...)`` take (bleak 3.x). They behave as bleak's own: the disconnected callback fires once for every link that
ends, reads and writes on a dead link raise ``BleakError``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, TypeVar

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError
from bleak.uuids import normalize_uuid_str
from bumble.core import AdvertisingData, BaseBumbleError
from bumble.device import Peer
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR

from subtalar_sim.serve.radio import Radio

_MTU: Final = 247
_PROPERTIES: Final[tuple[tuple[int, CharacteristicPropertyName], ...]] = (
    (0x02, "read"),
    (0x04, "write-without-response"),
    (0x08, "write"),
    (0x10, "notify"),
    (0x20, "indicate"),
)
_T = TypeVar("_T")


class RadioClient(BaseBleakClient):
    """bleak client on a simulated radio; subclasses say on which."""

    radio: ClassVar[Radio]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout, **kwargs)
        self._name = address_or_ble_device.name if isinstance(address_or_ble_device, BLEDevice) else None
        self._connection: Any = None
        self._peer: Any = None
        self._listeners: dict[int, Any] = {}

    @property
    def name(self) -> str:
        """See bleak."""
        return self._name or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """See bleak."""
        return int(self._connection.att_mtu) if self._connection is not None else 23

    @property
    def is_connected(self) -> bool:
        """See bleak."""
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """See bleak. Raises BleakDeviceNotFoundError if nobody answers within the timeout."""
        if self.is_connected:
            raise BleakError("Client is already connected")
        try:
            connection = await self.radio.connect(self.address, self._timeout)
        except TimeoutError:
            raise BleakDeviceNotFoundError(self.address, f"Device with address {self.address} was not found.") from None
        self._connection = connection
        connection.on("disconnection", self._on_disconnection)
        try:
            self._peer = Peer(connection)
            await self._guarded(self._peer.request_mtu(_MTU))
            await self._guarded(self._peer.discover_all())
            self.services = self._collect()
        except BaseException:
            await self.radio.hang_up(connection)
            raise

    def _collect(self) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        for service in self._peer.services:
            known = BleakGATTService(service, service.handle, _uuid(service))
            found.add_service(known)
            for characteristic in service.characteristics:
                names = [n for bit, n in _PROPERTIES if int(characteristic.properties) & bit]
                entry = BleakGATTCharacteristic(
                    characteristic,
                    characteristic.handle,
                    _uuid(characteristic),
                    names,
                    lambda: self.mtu_size - 3,
                    known,
                )
                found.add_characteristic(entry)
                for descriptor in characteristic.descriptors:
                    found.add_descriptor(BleakGATTDescriptor(descriptor, descriptor.handle, _uuid(descriptor), entry))
        return found

    def _on_disconnection(self, _reason: object) -> None:
        if self._connection is None:
            return
        self._connection = None
        self._listeners.clear()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        """See bleak."""
        connection = self._connection
        if connection is not None:
            await self.radio.hang_up(connection)
            self._on_disconnection(None)

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        """Not offered: the simulated devices do not pair."""
        raise NotImplementedError("the simulated radio does not pair")

    async def unpair(self) -> None:
        """Not offered: the simulated devices do not pair."""
        raise NotImplementedError("the simulated radio does not pair")

    async def _guarded(self, operation: Awaitable[_T]) -> _T:
        """Bumble's errors, and the cancellation by which it reports a lost link, as bleak's."""
        try:
            return await operation
        except BaseBumbleError as error:
            raise BleakError(str(error) or type(error).__name__) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise BleakError("disconnected") from None

    def _proxy(self, part: BleakGATTCharacteristic | BleakGATTDescriptor) -> Any:
        if not self.is_connected:
            raise BleakError("Not connected")
        return part.obj

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """See bleak."""
        return bytearray(await self._guarded(self._proxy(characteristic).read_value()))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """See bleak."""
        return bytearray(await self._guarded(self._proxy(descriptor).read_value()))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """See bleak."""
        await self._guarded(self._proxy(characteristic).write_value(bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """See bleak."""
        await self._guarded(self._proxy(descriptor).write_value(bytes(data), with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        """See bleak."""
        proxy = self._proxy(characteristic)
        if characteristic.handle in self._listeners:
            raise BleakError(f"Characteristic notifications already started on {characteristic.uuid}")

        def heard(value: bytes) -> None:
            callback(bytearray(value))

        self._listeners[characteristic.handle] = heard
        await self._guarded(proxy.subscribe(heard))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """See bleak."""
        proxy = self._proxy(characteristic)
        heard = self._listeners.pop(characteristic.handle, None)
        if heard is None:
            return
        # Bumble forgets the listener before it tells the device: what is in the air by then would be lost.
        switch = proxy.get_descriptor(GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR)
        if switch is not None:
            await self._guarded(switch.write_value(b"\x00\x00", with_response=True))
        await self._guarded(proxy.unsubscribe(heard))


def _uuid(attribute: Any) -> str:
    """bleak's spelling: lower case, 128 bits."""
    short = attribute.uuid if hasattr(attribute, "uuid") else attribute.type
    return normalize_uuid_str(short.to_hex_str("-"))


class RadioScanner(BaseBleakScanner):
    """bleak scanner on a simulated radio; subclasses say on which."""

    radio: ClassVar[Radio]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str = "active",
        **kwargs: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        """See bleak."""
        self.seen_devices = {}
        central = self.radio.central
        central.on("advertisement", self._heard)
        if not central.is_scanning:
            await central.start_scanning(filter_duplicates=False)

    async def stop(self) -> None:
        """See bleak."""
        central = self.radio.central
        central.remove_listener("advertisement", self._heard)
        if central.is_scanning and not central.listeners("advertisement"):
            await central.stop_scanning()

    def _heard(self, advertisement: Any) -> None:
        address = advertisement.address.to_string(False)
        raw = advertisement.data.get(AdvertisingData.COMPLETE_LOCAL_NAME, raw=True)
        name = bytes(raw).decode("utf-8", "replace") if raw else None
        data = AdvertisementData(
            local_name=name,
            manufacturer_data={},
            service_data={},
            service_uuids=[],
            tx_power=None,
            rssi=int(advertisement.rssi),
            platform_data=(advertisement,),
        )
        if not self.is_allowed_uuid(data.service_uuids):
            return
        self.call_detection_callbacks(self.create_or_update_device(address, address, name, advertisement, data), data)


def backends_for(radio: Radio) -> tuple[type[RadioClient], type[RadioScanner]]:
    """Client and scanner classes bound to ``radio``, ready for bleak's ``backend=``."""
    client = type("SimulatedRadioClient", (RadioClient,), {"radio": radio})
    scanner = type("SimulatedRadioScanner", (RadioScanner,), {"radio": radio})
    return client, scanner
