"""The private org.bluez: bleak's own BlueZ code reaches the simulated sensors, and D-Bus manners are kept."""

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytest.importorskip("bleak", reason="Bluetooth tests need bleak")
pytest.importorskip("bumble", reason="Bluetooth tests need bumble")
if sys.platform != "linux":
    pytest.skip("BlueZ is for Linux", allow_module_level=True)

import bleak
from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import FaultPlan
from subtalar_sim.firmware.witmotion_ble import NOTIFY_UUID, SERVICE_UUID, WRITE_UUID
from subtalar_sim.serve.bluez.connection import BusConnection
from subtalar_sim.serve.bluez.daemon import MessageBusDaemon, why_no_message_bus
from subtalar_sim.serve.live import SimulatedHardware

pytestmark = pytest.mark.skipif(bool(why_no_message_bus()), reason=why_no_message_bus() or "-")
DEVICE, CHARACTERISTIC, ADAPTER = "org.bluez.Device1", "org.bluez.GattCharacteristic1", "org.bluez.Adapter1"
HCI0 = "/org/bluez/hci0"


def addresses(hardware: SimulatedHardware) -> list[str]:
    return [spec.split("ble:")[1].split(",")[0] for spec in hardware.specs]


def path_of(address: str) -> str:
    return f"{HCI0}/dev_{address.replace(':', '_')}"


def config(sites: tuple[str, ...] = ("right_foot",), faults: FaultPlan | None = None) -> SimulationConfig:
    return SimulationConfig(BodyConfig(seed=8, walking_s=60.0), sites=sites, faults=faults or FaultPlan())


class Client:
    """A bare client of the bus."""

    def __init__(self, bus: MessageBus) -> None:
        self.bus = bus

    async def call(self, path: str, interface: str, member: str, signature: str = "", *body: object) -> Message:
        message = Message("org.bluez", path, interface, member, signature=signature, body=list(body))
        return await self.bus.call(message)

    async def property(self, path: str, interface: str, name: str) -> object:
        reply = await self.call(path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name)
        assert reply.message_type is MessageType.METHOD_RETURN, reply.body
        return reply.body[0].value

    async def objects(self) -> dict[str, object]:
        return (await self.call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")).body[0]

    async def find(self, address: str) -> str:
        """Scan until the device is there, and leave the scan running."""
        assert (await self.call(HCI0, ADAPTER, "StartDiscovery")).message_type is MessageType.METHOD_RETURN
        async with asyncio.timeout(60):
            while path_of(address) not in await self.objects():
                await asyncio.sleep(0.02)
        return path_of(address)


@asynccontextmanager
async def client(address: str) -> AsyncIterator[Client]:
    bus = await MessageBus(bus_address=address).connect()
    try:
        yield Client(bus)
    finally:
        if bus.connected:
            bus.disconnect()
            await bus.wait_for_disconnect()


async def until(condition: object, timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_bleak_scans_connects_and_gets_every_sample_that_was_sent(served_by_bluez) -> None:
    sites = ("right_foot", "right_shank")
    async with served_by_bluez(config(sites)) as (hardware, _):
        found = await bleak.BleakScanner.discover(timeout=0.5, return_adv=True)
        assert set(found) == set(addresses(hardware))
        assert {advertisement.local_name for _, advertisement in found.values()} == {"WT901BLE67"}
        heard: dict[str, bytearray] = {}
        clients = []
        for address in addresses(hardware):
            data = heard[address] = bytearray()
            link = bleak.BleakClient(found[address][0])
            await link.connect()
            await link.start_notify(NOTIFY_UUID, lambda _, value, data=data: data.extend(value))
            clients.append(link)
        service = clients[0].services.get_service(SERVICE_UUID)
        assert {c.uuid: set(c.properties) for c in service.characteristics} == {
            NOTIFY_UUID: {"notify"},
            WRITE_UUID: {"write", "write-without-response"},
        }
        await clients[0].write_gatt_char(WRITE_UUID, bytes.fromhex("FFAA276400"), response=False)
        await asyncio.sleep(1.0)
        for link in clients:
            await link.stop_notify(NOTIFY_UUID)
        for site, address in zip(sites, addresses(hardware), strict=True):
            samples = len(heard[address]) // 20 - heard[address].count(b"\x55\x71\x64\x00")
            assert samples == hardware.sent_samples[site]
            assert samples > 150
        assert b"\x55\x71\x64\x00" in heard[addresses(hardware)[0]]  # the register that was asked for
        for link in clients:
            await link.disconnect()
            assert not link.is_connected


async def test_a_lost_link_is_told_and_the_sensor_is_found_again(served_by_bluez) -> None:
    async with served_by_bluez(config(faults=FaultPlan(outages=((2.5, 0.5),)))) as (hardware, _):
        (address,) = addresses(hardware)
        ended = asyncio.Event()
        link = bleak.BleakClient(address, disconnected_callback=lambda _: ended.set())
        await link.connect()
        async with asyncio.timeout(60):
            await ended.wait()
        assert hardware.clock.session_s() > 2.5
        again = bleak.BleakClient(address)
        await again.connect()
        assert hardware.clock.session_s() > 3.0
        data = bytearray()
        await again.start_notify(NOTIFY_UUID, lambda _, value: data.extend(value))
        await asyncio.sleep(0.2)
        assert data
        await again.disconnect()


async def test_what_a_dead_client_wanted_ends_but_its_link_stays(served_by_bluez) -> None:
    async with served_by_bluez(config()) as (hardware, bluez), client(bluez.address) as watcher:
        async with client(bluez.address) as mortal:
            device = await mortal.find(*addresses(hardware))
            await mortal.call(device, DEVICE, "Connect")
            await until(lambda: watcher.property(device, DEVICE, "ServicesResolved"))
            (notifying,) = [
                path
                for path, held in (await watcher.objects()).items()
                if CHARACTERISTIC in held and held[CHARACTERISTIC]["UUID"].value == NOTIFY_UUID
            ]
            assert notifying.startswith(f"{device}/service")
            await mortal.call(notifying, CHARACTERISTIC, "StartNotify")
            refused = await mortal.call(notifying, CHARACTERISTIC, "StartNotify")
            assert refused.error_name == "org.bluez.Error.InProgress"
            assert await watcher.property(notifying, CHARACTERISTIC, "Notifying")
            assert await watcher.property(HCI0, ADAPTER, "Discovering")
            await asyncio.sleep(0.2)
            assert hardware.sent_samples["right_foot"] > 0

        async def quiet() -> bool:
            return not await watcher.property(notifying, CHARACTERISTIC, "Notifying")

        await until(quiet)
        assert not await watcher.property(HCI0, ADAPTER, "Discovering")
        assert await watcher.property(device, DEVICE, "Connected")
        sent = hardware.sent_samples["right_foot"]
        await asyncio.sleep(0.2)
        assert hardware.sent_samples["right_foot"] == sent


async def test_refusals_bear_the_names_of_bluez(served_by_bluez) -> None:
    async with served_by_bluez(config()) as (hardware, bluez), client(bluez.address) as caller:
        device = await caller.find(*addresses(hardware))
        assert (await caller.call(HCI0, ADAPTER, "StartDiscovery")).error_name == "org.bluez.Error.InProgress"
        gone = await caller.call(HCI0, ADAPTER, "RemoveDevice", "o", path_of("C6:00:00:00:00:09"))
        assert gone.error_name == "org.bluez.Error.DoesNotExist"
        nowhere = await caller.call(path_of("C6:00:00:00:00:09"), DEVICE, "Connect")
        assert nowhere.error_name == "org.freedesktop.DBus.Error.UnknownObject"
        await caller.call(device, DEVICE, "Connect")
        await until(lambda: caller.property(device, DEVICE, "ServicesResolved"))
        held = await caller.objects()
        (switch,) = [
            p for p, o in held.items() if CHARACTERISTIC in o and o[CHARACTERISTIC]["UUID"].value == WRITE_UUID
        ]
        assert (await caller.call(switch, CHARACTERISTIC, "ReadValue", "a{sv}", {})).body == ["Read not permitted"]
        assert (await caller.call(switch, CHARACTERISTIC, "StartNotify")).error_name == "org.bluez.Error.NotSupported"
        await caller.call(device, DEVICE, "Disconnect")
        assert not await caller.property(device, DEVICE, "Connected")
        assert switch not in await caller.objects()


async def test_disconnect_cancels_a_connect_that_hangs(served_by_bluez) -> None:
    faults = FaultPlan(outages=((1.0, 60.0),))
    async with served_by_bluez(config(faults=faults)) as (hardware, bluez), client(bluez.address) as caller:
        device = await caller.find(*addresses(hardware))
        await asyncio.sleep(max(0.0, 1.2 - hardware.clock.session_s()))
        connecting = asyncio.ensure_future(caller.call(device, DEVICE, "Connect"))
        await asyncio.sleep(0.2)
        assert not connecting.done()
        await caller.call(device, DEVICE, "Disconnect")
        assert (await connecting).error_name == "org.bluez.Error.Failed"


async def test_a_link_that_is_refused_ends_without_an_error(served_by_bluez) -> None:
    faults = FaultPlan(refusals=((0.0, 2),))
    errors: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with served_by_bluez(config(faults=faults)) as (hardware, bluez), client(bluez.address) as caller:
        device = await caller.find(*addresses(hardware))

        async def ended() -> bool:
            return not await caller.property(device, DEVICE, "Connected")

        for _ in range(2):
            await caller.call(device, DEVICE, "Connect")
            await until(ended)
            assert not [path for path in await caller.objects() if path.startswith(f"{device}/")]
        await caller.call(device, DEVICE, "Connect")
        await until(lambda: caller.property(device, DEVICE, "ServicesResolved"))
    gc.collect()  # a task says that nobody looked at its error when it is collected
    assert not [e for e in errors if "Task" in str(e["message"])]


async def test_a_flood_of_signals_arrives_whole_and_in_order() -> None:
    daemon = MessageBusDaemon()
    await daemon.start()
    service = BusConnection(lambda _: False, lambda _: None, lambda: None)
    await service.open(daemon.address, "org.bluez")
    received: list[int] = []
    try:
        async with client(daemon.address) as listener:
            rule = "type='signal',interface='org.example.Flood'"
            name, path = "org.freedesktop.DBus", "/org/freedesktop/DBus"
            await listener.bus.call(Message(name, path, name, "AddMatch", signature="s", body=[rule]))

            def heard(message: Message) -> None:
                if message.member == "Drop":
                    received.append(message.body[0])

            listener.bus.add_message_handler(heard)
            n, padding = 3000, bytes(2000)  # far more than the socket holds
            for i in range(n):
                service.send(Message.new_signal("/flood", "org.example.Flood", "Drop", "uay", [i, padding]))
            async with asyncio.timeout(60):
                while len(received) < n:
                    await asyncio.sleep(0.01)
        assert received == list(range(n))
    finally:
        await service.close()
        await daemon.kill()


def test_serve_leads_another_process_to_the_sensors_and_leaves_nothing_behind() -> None:
    code = "from subtalar_sim.serve.command import serve; serve('witmotion', seed=3, sites=('right_foot',))"
    served = subprocess.Popen([sys.executable, "-uc", code], stdout=subprocess.PIPE, text=True)
    try:
        assert served.stdout is not None
        setting, spec = served.stdout.readline().strip(), served.stdout.readline().strip()
        name, address = setting.split("=", 1)
        assert name == "DBUS_SYSTEM_BUS_ADDRESS"
        folder = Path(address.removeprefix("unix:path=")).parent
        assert folder.exists()
        sensor = spec.split("ble:")[1].split(",")[0]
        listened = subprocess.run(
            [sys.executable, "-c", _LISTEN, sensor, NOTIFY_UUID],
            env={**os.environ, name: address},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert listened.returncode == 0, listened.stderr
        assert int(listened.stdout) > 50
    finally:
        served.kill()  # no chance to clean up
        served.communicate()
    deadline = time.monotonic() + 5
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


_LISTEN = """
import asyncio, sys
import bleak

async def main():
    data = bytearray()
    async with bleak.BleakClient(sys.argv[1]) as link:
        await link.start_notify(sys.argv[2], lambda _, value: data.extend(value))
        await asyncio.sleep(0.5)
    print(len(data) // 20)

asyncio.run(main())
"""
