"""A radio that is not there: bleak backends over peripherals in memory."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError

SERVICE = "0000ffe5-0000-1000-8000-00805f9a34fb"
NOTIFY = "0000ffe4-0000-1000-8000-00805f9a34fb"
WRITE = "0000ffe9-0000-1000-8000-00805f9a34fb"


class Peripheral:
    """One device on the air. ``misbehave`` names what it does wrong."""

    def __init__(self, address: str, name: str = "WT901BLE67", misbehave: str = "") -> None:
        self.address, self.name, self.misbehave = address, name, misbehave
        self.notify: Callable[[bytearray], None] | None = None
        self.hang_up: Callable[[], None] | None = None
        self.written: list[bytes] = []
        self.connections = 0


class Air:
    """Everything in reach, and a check that only one link is set up at a time."""

    peripherals: ClassVar[dict[str, Peripheral]] = {}
    busy: ClassVar[int] = 0
    most_busy: ClassVar[int] = 0

    @classmethod
    def reset(cls) -> None:
        cls.peripherals.clear()
        cls.busy = cls.most_busy = 0

    @classmethod
    def add(cls, peripheral: Peripheral) -> Peripheral:
        cls.peripherals[peripheral.address] = peripheral
        return peripheral

    @classmethod
    def occupy(cls, by: int) -> None:
        cls.busy += by
        cls.most_busy = max(cls.most_busy, cls.busy)


class FakeScanner(BaseBleakScanner):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(args[0] if args else None, args[1] if len(args) > 1 else None)
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        Air.occupy(1)
        self.seen_devices = {}
        self.task = asyncio.create_task(self.advertise())

    async def advertise(self) -> None:
        while True:
            for p in Air.peripherals.values():
                adv = AdvertisementData(p.name, {}, {}, [SERVICE], None, -60, ())
                device = self.create_or_update_device(p.address, p.address, p.name, p, adv)
                self.call_detection_callbacks(device, adv)
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        Air.occupy(-1)
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


class FakeClient(BaseBleakClient):
    def __init__(self, device: Any, **kwargs: Any) -> None:
        super().__init__(device, **kwargs)
        self.peripheral: Peripheral = device.details
        self.connected = False

    @property
    def name(self) -> str:
        return self.peripheral.name

    @property
    def mtu_size(self) -> int:
        return 247

    @property
    def is_connected(self) -> bool:
        return self.connected

    def lose(self) -> None:
        self.connected = False
        self.peripheral.notify = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        Air.occupy(1)
        try:
            await asyncio.sleep(0.02)
            if self.peripheral.misbehave == "refuses":
                raise BleakError("le-connection-abort-by-local\nmore detail")
            if self.peripheral.misbehave == "hangs":
                await asyncio.sleep(3600)
        finally:
            Air.occupy(-1)
        self.connected = True
        self.peripheral.connections += 1
        self.peripheral.hang_up = self.lose
        services = BleakGATTServiceCollection()
        other = "0000ffe5-0000-1000-8000-00805f9b34fb"
        service = BleakGATTService(None, 1, other if self.peripheral.misbehave == "other model" else SERVICE)
        services.add_service(service)
        for handle, uuid in ((2, NOTIFY), (5, WRITE)):
            services.add_characteristic(BleakGATTCharacteristic(None, handle, uuid, ["notify"], lambda: 244, service))
        self.services = services
        if self.peripheral.misbehave == "hangs up at once" and self._disconnected_callback is not None:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        self.connected = False
        self.peripheral.notify = None

    async def pair(self, *args: Any, **kwargs: Any) -> None: ...

    async def unpair(self) -> None: ...

    async def read_gatt_char(self, characteristic: Any, **kwargs: Any) -> bytearray:
        return bytearray(b"\x2a")

    async def read_gatt_descriptor(self, descriptor: Any, **kwargs: Any) -> bytearray:
        return bytearray()

    async def write_gatt_char(self, characteristic: Any, data: Any, response: bool) -> None:
        assert characteristic.uuid == WRITE
        if not self.connected:
            raise BleakError("Not connected")
        self.peripheral.written.append(bytes(data))

    async def write_gatt_descriptor(self, descriptor: Any, data: Any) -> None: ...

    async def start_notify(self, characteristic: Any, callback: Any, **kwargs: Any) -> None:
        assert characteristic.uuid == NOTIFY
        self.peripheral.notify = callback

    async def stop_notify(self, characteristic: Any) -> None:
        self.peripheral.notify = None
