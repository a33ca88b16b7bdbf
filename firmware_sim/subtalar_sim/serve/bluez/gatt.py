"""GattService1, GattCharacteristic1 and GattDescriptor1 of one connected peripheral.

bleak cuts its handles and the device out of the paths: they must read ``…/dev_XX_XX…/serviceXXXX/charXXXX``.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

from bumble.att import ATT_Error
from bumble.core import BaseBumbleError
from bumble.device import Peer
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
from dbus_fast import Message, Variant

from subtalar_sim.serve.bluez.objects import DBusRefusal, Interface, ObjectTree, Reply

_MTU: Final = 247
_SERVICE: Final = "org.bluez.GattService1"
_CHARACTERISTIC: Final = "org.bluez.GattCharacteristic1"
_DESCRIPTOR: Final = "org.bluez.GattDescriptor1"
_BASE_UUID: Final = "-0000-1000-8000-00805f9b34fb"
_FLAGS: Final = (
    (0x02, "read"),
    (0x04, "write-without-response"),
    (0x08, "write"),
    (0x10, "notify"),
    (0x20, "indicate"),
)
# How BlueZ words the answers of the attribute protocol (create_gatt_dbus_error in src/gatt-client.c).
_ATT_REFUSALS: Final = {
    0x02: ("NotPermitted", "Read not permitted"),
    0x03: ("NotPermitted", "Write not permitted"),
    0x06: ("NotSupported", "Operation is not supported"),
    0x07: ("InvalidArguments", "Invalid offset"),
    0x08: ("NotAuthorized", "Operation Not Authorized"),
    0x0D: ("InvalidArguments", "Invalid Length"),
}
_T = TypeVar("_T")


async def on_air(operation: Awaitable[_T]) -> _T:
    """Wait for Bumble; its errors, and the cancellation by which it reports a lost link, become BlueZ's."""
    try:
        return await operation
    except ATT_Error as error:
        code = int(error.error_code)
        text = f"Operation failed with ATT error: 0x{code:02x}"
        raise DBusRefusal(*_ATT_REFUSALS.get(code, ("Failed", text))) from error
    except BaseBumbleError as error:
        raise DBusRefusal("Failed", str(error) or type(error).__name__) from error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise DBusRefusal("Failed", "Not connected") from None


def uuid_text(uuid: Any) -> str:
    """BlueZ's spelling: lower case, 128 bits."""
    text = str(uuid.to_hex_str("-")).lower()
    return text if len(text) == 36 else text.zfill(8) + _BASE_UUID


class RemoteServices:
    """The services of one connection, as objects under the device's."""

    def __init__(self, tree: ObjectTree, device_path: str, connection: Any) -> None:
        self._tree, self._device_path, self._connection = tree, device_path, connection
        self._paths: list[str] = []
        self._characteristics: list[RemoteCharacteristic] = []
        self._ended = False

    async def discover(self) -> list[str]:
        """Agree on an MTU, find everything and show it. Returns the UUIDs of the services. Raises DBusRefusal, also
        if the link ended before: nothing is shown then, and nobody waits for answers that cannot come.
        """
        self._check()
        peer: Any = Peer(self._connection)
        await on_air(peer.request_mtu(_MTU))
        self._check()
        await on_air(peer.discover_all())
        self._check()
        for service in peer.services:
            path = f"{self._device_path}/service{service.handle:04x}"
            uuid = Variant("s", uuid_text(service.uuid))
            properties = {"UUID": uuid, "Primary": Variant("b", True), "Device": Variant("o", self._device_path)}
            self._add(path, Interface(_SERVICE, {**properties, "Includes": Variant("ao", [])}))
            for proxy in service.characteristics:
                self._add_characteristic(path, proxy)
        return [uuid_text(service.uuid) for service in peer.services]

    def _check(self) -> None:
        if self._ended:
            raise DBusRefusal("Failed", "Not connected")

    def _add_characteristic(self, service_path: str, proxy: Any) -> None:
        # BlueZ names it by its declaration, which stands before the value.
        path = f"{service_path}/char{proxy.handle - 1:04x}"
        characteristic = RemoteCharacteristic(self._tree, path, service_path, proxy, int(self._connection.att_mtu))
        self._characteristics.append(characteristic)
        self._add(path, characteristic.interface)
        for descriptor in proxy.descriptors:
            self._add(f"{path}/desc{descriptor.handle:04x}", _descriptor(path, descriptor))

    def _add(self, path: str, interface: Interface) -> None:
        self._paths.append(path)
        self._tree.add(path, interface)

    def clear(self) -> None:
        """The link is gone, and all that was found over it."""
        self._ended = True
        for path in reversed(self._paths):
            self._tree.remove(path)
        self._paths.clear()
        self._characteristics.clear()

    def client_gone(self, client: str) -> list[Awaitable[None]]:
        """What must be done on the air because a client of the bus left."""
        return [c.let_go(client) for c in self._characteristics if client in c.listeners]


class RemoteCharacteristic:
    """One characteristic. ``listeners`` are the bus clients that asked for notifications."""

    def __init__(self, tree: ObjectTree, path: str, service_path: str, proxy: Any, mtu: int) -> None:
        self._tree, self._path, self._proxy = tree, path, proxy
        self.listeners: set[str] = set()
        self._busy = False
        flags = [name for bit, name in _FLAGS if int(proxy.properties) & bit]
        self._flags = frozenset(flags)
        properties = {
            "UUID": Variant("s", uuid_text(proxy.uuid)),
            "Service": Variant("o", service_path),
            "Value": Variant("ay", b""),
            "Notifying": Variant("b", False),
            "Flags": Variant("as", flags),
            "MTU": Variant("q", mtu),
        }
        methods = {
            "ReadValue": self._read,
            "WriteValue": self._write,
            "StartNotify": self._start_notify,
            "StopNotify": self._stop_notify,
        }
        self.interface = Interface(_CHARACTERISTIC, properties, methods)

    def _heard(self, value: bytes) -> None:
        self._tree.change(self._path, _CHARACTERISTIC, {"Value": Variant("ay", bytes(value))})

    async def _read(self, call: Message) -> Reply:
        if "read" not in self._flags:
            raise DBusRefusal("NotPermitted", "Read not permitted")
        value = bytes(await self._alone(self._proxy.read_value()))
        self._heard(value)  # who is subscribed to what he reads gets it twice: so it is with BlueZ
        return "ay", [value]

    async def _write(self, call: Message) -> Reply:
        data, options = call.body
        kind = options["type"].value if "type" in options else "request"
        if ("write" if kind == "request" else "write-without-response") not in self._flags:
            raise DBusRefusal("NotSupported", "Operation is not supported")
        if kind == "request":
            await self._alone(self._proxy.write_value(bytes(data), with_response=True))
        else:
            await on_air(self._proxy.write_value(bytes(data), with_response=False))
        return None

    async def _alone(self, operation: Awaitable[_T]) -> _T:
        if self._busy:
            if asyncio.iscoroutine(operation):
                operation.close()
            raise DBusRefusal("InProgress", "In Progress")
        self._busy = True
        try:
            return await on_air(operation)
        finally:
            self._busy = False

    async def _start_notify(self, call: Message) -> Reply:
        if not self._flags & {"notify", "indicate"}:
            raise DBusRefusal("NotSupported", "Operation is not supported")
        client = call.sender or ""
        if client in self.listeners:
            raise DBusRefusal("InProgress", "In Progress")
        first = not self.listeners
        self.listeners.add(client)
        if first:
            try:
                await on_air(self._proxy.subscribe(self._heard))
            except BaseException:
                self.listeners.discard(client)
                raise
            self._tree.change(self._path, _CHARACTERISTIC, {"Notifying": Variant("b", True)})
        return None

    async def _stop_notify(self, call: Message) -> Reply:
        if call.sender not in self.listeners:
            raise DBusRefusal("Failed", "No notify session started")
        await self.let_go(call.sender)
        return None

    async def let_go(self, client: str) -> None:
        """Stop notifications once the last client does not want them any more."""
        self.listeners.discard(client)
        if self.listeners:
            return
        # Bumble forgets the listener before it tells the device: what is in the air by then would be lost.
        switch = self._proxy.get_descriptor(GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR)
        if switch is not None:
            await on_air(switch.write_value(b"\x00\x00", with_response=True))
        await on_air(self._proxy.unsubscribe(self._heard))
        self._tree.change(self._path, _CHARACTERISTIC, {"Notifying": Variant("b", False)})


def _descriptor(characteristic_path: str, proxy: Any) -> Interface:
    async def read(call: Message) -> Reply:
        return "ay", [bytes(await on_air(proxy.read_value()))]

    async def write(call: Message) -> Reply:
        if proxy.type == GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR:
            raise DBusRefusal("NotPermitted", "Write not permitted")  # StartNotify is there for that
        await on_air(proxy.write_value(bytes(call.body[0]), with_response=True))
        return None

    properties = {
        "UUID": Variant("s", uuid_text(proxy.type)),
        "Characteristic": Variant("o", characteristic_path),
        "Value": Variant("ay", b""),
    }
    return Interface(_DESCRIPTOR, properties, {"ReadValue": read, "WriteValue": write})
