"""A made-up device with two services behind a real GATT server, as bleak's client sees it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from subtalar_sim.clock import SessionClock
from subtalar_sim.faults import NO_FAULTS, DelayLine, FaultPlan, SentLedger
from subtalar_sim.firmware.base import GattCharacteristic, GattService, Payload, RefusedByDevice
from subtalar_sim.serve.delivery import Delivery
from subtalar_sim.serve.pump import Pump

bleak = pytest.importorskip("bleak", reason="Bluetooth tests need bleak")
pytest.importorskip("bumble", reason="Bluetooth tests need bumble")

ADDRESS = "C6:51:00:00:00:77"
CONTROL, DATA, EVENTS = (f"1517{i:04x}-4947-11e9-8646-d663bd873d93" for i in range(3))
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
SERVICES = (
    GattService(
        "15171000-4947-11e9-8646-d663bd873d93",
        (
            GattCharacteristic(CONTROL, frozenset({"read", "write"})),
            GattCharacteristic(DATA, frozenset({"notify"})),
            GattCharacteristic(EVENTS, frozenset({"notify", "write_without_response"})),
        ),
    ),
    GattService("0000180f-0000-1000-8000-00805f9b34fb", (GattCharacteristic(BATTERY, frozenset({"read", "notify"})),)),
)


class Machine:
    """Sends a counter on DATA 50 times a second, echoes what is written to EVENTS, refuses the byte 0xFF."""

    name = "Two services"
    services = SERVICES

    def __init__(self) -> None:
        self.ledger, self.max_payload = SentLedger(), 0
        self.control = b"\x01"
        self.log: list[tuple[str, bool]] = []
        self.echo: list[bytes] = []
        self.count = 0

    def on_write(self, uuid: str, data: bytes, now_s: float) -> None:
        if data == b"\xff":
            raise RefusedByDevice(0x81)
        if uuid == EVENTS:
            self.echo.append(data)
        else:
            self.control = data

    def on_read(self, uuid: str, now_s: float) -> bytes:
        if uuid == BATTERY:
            return b"\x63"
        if self.control == b"\x00":
            raise RefusedByDevice(0x0E)
        return self.control

    def on_subscribe(self, uuid: str, *, subscribed: bool, now_s: float) -> None:
        self.log.append((uuid, subscribed))

    def poll(self, now_s: float, *, listening: bool = True) -> list[Payload]:
        out = [Payload(data, 0, EVENTS) for data in self.echo]
        self.echo.clear()
        while self.count * 0.02 <= now_s:
            self.count += 1
            if listening:
                self.ledger.sent += 1
                out.append(Payload(self.count.to_bytes(4, "little"), 1, DATA))
        return out

    def power_cycle(self, now_s: float) -> None:
        self.count = 0

    def next_deadline_s(self) -> float:
        return 0.0 if self.echo else self.count * 0.02


@asynccontextmanager
async def served(machine: Machine, plan: FaultPlan = NO_FAULTS) -> AsyncIterator[type]:
    from subtalar_sim.serve.bleak_backend import backends_for
    from subtalar_sim.serve.peripheral import GattPeripheral
    from subtalar_sim.serve.radio import Radio

    radio, clock = Radio(), SessionClock()
    link = GattPeripheral(radio, machine, ADDRESS, clock.session_s, plan.mtu, plan.supervision_s)
    delivery = Delivery(machine, link, plan, DelayLine(plan, 1, "right_foot", machine.ledger))
    pump = Pump(delivery, clock)
    link.on_activity = pump.rearm
    delivery.switch(0.0)
    await radio.power_on()
    await link.start()
    pump.start()
    try:
        yield backends_for(radio)[0]
    finally:
        pump.stop()
        await link.stop()
        await radio.power_off()


async def test_services_reads_writes_and_refusals() -> None:
    machine = Machine()
    async with served(machine) as backend, bleak.BleakClient(ADDRESS, backend=backend) as client:
        assert {s.uuid for s in SERVICES} <= {s.uuid for s in client.services}
        assert machine.max_payload == client.mtu_size - 3 > 200
        assert await client.read_gatt_char(BATTERY) == b"\x63"
        await client.write_gatt_char(CONTROL, b"\x07", response=True)
        assert await client.read_gatt_char(CONTROL) == b"\x07"
        with pytest.raises(bleak.exc.BleakError):
            await client.write_gatt_char(CONTROL, b"\xff", response=True)
        await client.write_gatt_char(CONTROL, b"\x00", response=True)
        with pytest.raises(bleak.exc.BleakError, match="UNLIKELY"):
            await client.read_gatt_char(CONTROL)
        assert client.is_connected


async def test_each_characteristic_notifies_its_own_and_only_those_subscribed() -> None:
    machine = Machine()
    heard: dict[str, list[bytes]] = {DATA: [], EVENTS: []}
    async with served(machine) as backend, bleak.BleakClient(ADDRESS, backend=backend) as client:
        await client.start_notify(EVENTS, lambda c, data: heard[c.uuid].append(bytes(data)))
        await client.write_gatt_char(EVENTS, b"hello", response=False)
        await asyncio.sleep(0.1)
        assert heard == {DATA: [], EVENTS: [b"hello"]}
        assert machine.ledger.sent == 0 < machine.ledger.unsent  # nobody has asked for the data
        await client.start_notify(DATA, lambda c, data: heard[c.uuid].append(bytes(data)))
        await asyncio.sleep(0.3)
        await client.stop_notify(DATA)
        assert len(heard[DATA]) == machine.ledger.sent > 8
        numbers = [int.from_bytes(data, "little") for data in heard[DATA]]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert machine.log == [(EVENTS, True), (DATA, True), (DATA, False), (EVENTS, False)]


async def test_a_lost_link_turns_notifications_off() -> None:
    machine = Machine()
    async with served(machine, FaultPlan(outages=((1.0, 0.3),))) as backend:
        ended = asyncio.Event()
        client = bleak.BleakClient(ADDRESS, backend=backend, disconnected_callback=lambda _: ended.set())
        await client.connect()
        await client.start_notify(DATA, lambda *_: None)
        async with asyncio.timeout(60.0):
            await ended.wait()
        assert machine.log == [(DATA, True), (DATA, False)]
        assert machine.max_payload == 20  # nobody has negotiated more
        async with bleak.BleakClient(ADDRESS, backend=backend) as again:  # it is back, and waits to be subscribed
            assert again.is_connected
            assert machine.log == [(DATA, True), (DATA, False)]


async def test_a_small_mtu_is_what_the_device_agrees_to() -> None:
    machine = Machine()
    async with served(machine, FaultPlan(mtu=23)) as backend, bleak.BleakClient(ADDRESS, backend=backend) as client:
        assert client.mtu_size == 23
        assert machine.max_payload == 20


async def connect_and_read(client: "bleak.BleakClient") -> None:
    await client.connect()
    await client.read_gatt_char(BATTERY)


async def test_refused_connections_end_at_once_and_then_no_more() -> None:
    machine = Machine()
    async with served(machine, FaultPlan(refusals=((0.0, 2),))) as backend:
        await asyncio.sleep(0.05)
        for _ in range(2):
            client = bleak.BleakClient(ADDRESS, backend=backend, timeout=2.0)
            with pytest.raises((bleak.exc.BleakError, TimeoutError)):
                await asyncio.wait_for(connect_and_read(client), 60.0)
        async with bleak.BleakClient(ADDRESS, backend=backend) as client:
            assert await client.read_gatt_char(BATTERY) == b"\x63"


async def test_slow_discovery_is_slow() -> None:
    machine = Machine()
    async with served(machine, FaultPlan(slow_discovery_s=1.0)) as backend:
        client = bleak.BleakClient(ADDRESS, backend=backend, timeout=0.5)
        with pytest.raises(bleak.exc.BleakDeviceNotFoundError):
            await client.connect()
        async with bleak.BleakClient(ADDRESS, backend=backend, timeout=5.0) as again:
            assert again.is_connected


async def test_a_link_may_break_without_a_word() -> None:
    machine, told = Machine(), asyncio.Event()
    plan = FaultPlan(outages=((1.0, 30.0),), supervision_s=0.6)
    async with served(machine, plan) as backend:
        client = bleak.BleakClient(ADDRESS, backend=backend, disconnected_callback=lambda _: told.set())
        await client.connect()
        heard: list[float] = []
        loop = asyncio.get_running_loop()
        await client.start_notify(DATA, lambda *_: heard.append(loop.time()))
        async with asyncio.timeout(60):
            await told.wait()
        assert heard
        assert loop.time() - heard[-1] > 0.5
