"""Adapter1 ``hci0``: who looks for devices, and what was found."""

import asyncio
from typing import Any, Final

from dbus_fast import Message, Variant

from subtalar_sim.serve.bluez.device import RemoteDevice
from subtalar_sim.serve.bluez.objects import DBusRefusal, Interface, ObjectTree, Reply
from subtalar_sim.serve.radio import CENTRAL_ADDRESS, Radio

PATH: Final = "/org/bluez/hci0"
_INTERFACE: Final = "org.bluez.Adapter1"


class Adapter:
    """The central of a simulated radio as BlueZ's only adapter."""

    def __init__(self, tree: ObjectTree, radio: Radio) -> None:
        self._tree, self._radio = tree, radio
        self._devices: dict[str, RemoteDevice] = {}
        self._looking: set[str] = set()
        self._scan_lock = asyncio.Lock()
        self._jobs: set[asyncio.Task[None]] = set()
        properties = {
            "Address": Variant("s", CENTRAL_ADDRESS),
            "AddressType": Variant("s", "random"),
            "Name": Variant("s", "subtalar-sim"),
            "Alias": Variant("s", "subtalar-sim"),
            "Class": Variant("u", 0),
            "Powered": Variant("b", True),
            "Discoverable": Variant("b", False),
            "Pairable": Variant("b", False),
            "Discovering": Variant("b", False),
            "UUIDs": Variant("as", []),
            "Roles": Variant("as", ["central"]),
        }
        methods = {
            "StartDiscovery": self._start_discovery,
            "StopDiscovery": self._stop_discovery,
            "SetDiscoveryFilter": self._set_discovery_filter,
            "RemoveDevice": self._remove_device,
        }
        tree.add("/org/bluez", Interface("org.bluez.AgentManager1", {}))
        tree.add(PATH, Interface(_INTERFACE, properties, methods))

    # Looking ----------------------------------------------------------------------------------------------

    async def _start_discovery(self, call: Message) -> Reply:
        client = call.sender or ""
        if client in self._looking:
            raise DBusRefusal("InProgress", "Operation already in progress")
        self._looking.add(client)
        await self._fit_scan()
        return None

    async def _stop_discovery(self, call: Message) -> Reply:
        if call.sender not in self._looking:
            raise DBusRefusal("Failed", "No discovery started")
        self._looking.discard(call.sender)
        await self._fit_scan()
        return None

    async def _set_discovery_filter(self, call: Message) -> Reply:
        return None  # everything on this radio is Bluetooth LE, and bleak filters by itself, too

    async def _fit_scan(self) -> None:
        """Scan exactly while somebody is looking."""
        central = self._radio.central
        async with self._scan_lock:
            if self._looking and not central.is_scanning:
                central.on("advertisement", self._heard)
                await central.start_scanning(filter_duplicates=False)
                self._tree.change(PATH, _INTERFACE, {"Discovering": Variant("b", True)})
            elif not self._looking and central.is_scanning:
                await self._stop_scanning()
                self._tree.change(PATH, _INTERFACE, {"Discovering": Variant("b", False)})
                for device in self._devices.values():
                    device.looking_ended()

    async def _stop_scanning(self) -> None:
        central = self._radio.central
        if self._heard in central.listeners("advertisement"):
            central.remove_listener("advertisement", self._heard)
        if central.is_scanning:
            await central.stop_scanning()

    def _heard(self, advertisement: Any) -> None:
        address = advertisement.address.to_string(False)
        device = self._devices.get(address)
        if device is None:
            device = self._devices[address] = RemoteDevice(self._tree, self._radio, PATH, address, self._forget)
        device.heard(advertisement, asyncio.get_running_loop().time())

    # Devices ----------------------------------------------------------------------------------------------

    async def _remove_device(self, call: Message) -> Reply:
        address = next((a for a, d in self._devices.items() if d.path == call.body[0]), None)
        if address is None:
            raise DBusRefusal("DoesNotExist", "Does Not Exist")
        await self._devices.pop(address).close()
        return None

    def _forget(self, address: str) -> None:
        device = self._devices.pop(address, None)
        if device is not None:
            self._spawn(device.close())

    def client_gone(self, client: str) -> None:
        """A bus client left: it does not look any more, and nobody listens on its behalf."""
        if client in self._looking:
            self._looking.discard(client)
            self._spawn(self._fit_scan())
        for device in self._devices.values():
            device.client_gone(client)

    async def close(self) -> None:
        """Let go of the radio: no scan, no links."""
        self._looking.clear()
        for job in list(self._jobs):
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        for device in list(self._devices.values()):
            await device.close()
        self._devices.clear()
        await self._stop_scanning()

    def _spawn(self, job: Any) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
