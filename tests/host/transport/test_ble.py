"""The Bluetooth transport through bleak's own client and scanner, over a radio in memory."""

import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from subtalar.errors import LinkError
from subtalar.protocol import create_protocol
from subtalar.transport import Chunk, OutOfReachError
from subtalar.transport.ble import BleTransport
from subtalar.transport.discover import list_serial_ports, scan_ble

spec = importlib.util.spec_from_file_location("fake_bleak", Path(__file__).with_name("fake_bleak.py"))
assert spec is not None
assert spec.loader is not None
fake = importlib.util.module_from_spec(spec)
sys.modules["fake_bleak"] = fake
spec.loader.exec_module(fake)

ADDRESS = "AA:BB:CC:DD:EE:01"


@pytest.fixture(autouse=True)
def air():
    fake.Air.reset()
    yield fake.Air
    fake.Air.reset()


def transport(address: str = ADDRESS, **timeouts: float) -> BleTransport:
    gatt = create_protocol("witmotion").gatt
    assert gatt is not None
    return BleTransport(
        address,
        gatt,
        scanner_backend=fake.FakeScanner,
        client_backend=fake.FakeClient,
        **{"scan_timeout_s": 0.3, **timeouts},
    )


def ignore(_: object) -> None: ...


async def test_notifications_arrive_stamped_and_writes_reach_the_write_characteristic(air):
    device = air.add(fake.Peripheral(ADDRESS))
    chunks: list[Chunk] = []
    ble = transport()
    await ble.open(chunks.append, ignore)
    device.notify(bytearray(b"one"))
    device.notify(bytearray(b"two"))
    await ble.write(b"command")
    assert await ble.read(fake.NOTIFY) == b"\x2a"
    await ble.close()
    assert [c.data for c in chunks] == [b"one", b"two"]
    assert chunks[0].source == fake.NOTIFY
    assert 0 < chunks[0].arrival_ns <= chunks[1].arrival_ns
    assert device.written == [b"command"]
    assert device.notify is None


async def test_a_lost_link_is_told_once(air):
    device = air.add(fake.Peripheral(ADDRESS))
    ends: list[str] = []
    ble = transport()
    await ble.open(ignore, ends.append)
    device.hang_up()
    device.hang_up()
    assert len(ends) == 1
    with pytest.raises(LinkError):
        await ble.write(b"x")
    await ble.close()
    await ble.close()


async def test_closing_is_not_told(air):
    device = air.add(fake.Peripheral(ADDRESS))
    ends: list[str] = []
    ble = transport()
    await ble.open(ignore, ends.append)
    await ble.close()
    device.hang_up()
    assert ends == []


@pytest.mark.parametrize(
    ("misbehave", "words"),
    [
        ("refuses", "cannot be reached"),
        ("hangs", "does not answer"),
        ("other model", "not of the stated model"),
        ("hangs up at once", "hung up"),
    ],
)
async def test_what_can_go_wrong_is_one_sentence(air, monkeypatch, misbehave, words):
    monkeypatch.setattr("subtalar.transport.ble._CONNECT_GRACE_S", 0.05)
    air.add(fake.Peripheral(ADDRESS, misbehave=misbehave))
    ends: list[str] = []
    with pytest.raises(LinkError, match=words) as caught:
        await transport(connect_timeout_s=0.1).open(ignore, ends.append)
    assert "\n" not in str(caught.value)
    assert ends == []
    assert air.busy == 0


async def test_nobody_there(air):
    with pytest.raises(LinkError, match="check that it is on"):
        await transport().open(ignore, ignore)


async def test_four_links_are_set_up_one_at_a_time(air):
    links = []
    for i in range(4):
        air.add(fake.Peripheral(f"AA:BB:CC:DD:EE:0{i}"))
        links.append(transport(f"AA:BB:CC:DD:EE:0{i}"))
    await asyncio.gather(*(link.open(ignore, ignore) for link in links))
    assert [p.connections for p in air.peripherals.values()] == [1, 1, 1, 1]
    assert air.most_busy == 1
    await asyncio.gather(*(link.close() for link in links))


async def test_a_sensor_that_is_missing_keeps_nobody_from_finding_another(air):
    air.add(fake.Peripheral(ADDRESS))
    missing, there = transport("AA:BB:CC:DD:EE:02", scan_timeout_s=1.0), transport()
    looking = asyncio.create_task(missing.open(ignore, ignore))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(0.8):
        await there.open(ignore, ignore)
    assert not looking.done()
    with pytest.raises(OutOfReachError):
        await looking
    assert air.most_busy == 1
    await there.close()


async def test_a_search_that_is_given_up_frees_the_radio(air):
    looking = asyncio.create_task(transport("AA:BB:CC:DD:EE:02", scan_timeout_s=60.0).open(ignore, ignore))
    await asyncio.sleep(0.05)
    assert air.busy == 1
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert air.busy == 0
    air.add(fake.Peripheral(ADDRESS))
    again = transport()
    await again.open(ignore, ignore)
    await again.close()


async def test_a_stack_that_dies_in_its_own_way_is_one_sentence(air, monkeypatch):
    async def stumble(self, *args, **kwargs):
        raise KeyError("/org/bluez/hci0")

    air.add(fake.Peripheral(ADDRESS))
    monkeypatch.setattr(fake.FakeClient, "connect", stumble)
    with pytest.raises(LinkError, match="cannot be reached"):
        await transport().open(ignore, ignore)
    monkeypatch.setattr(fake.FakeScanner, "start", stumble)
    with pytest.raises(OutOfReachError, match="cannot be reached"):
        await transport().open(ignore, ignore)


async def test_missing_bleak_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "bleak", None)
    with pytest.raises(LinkError, match=r"pip install 'subtalar\[ble\]'"):
        await transport().open(ignore, ignore)


async def test_scan_puts_known_models_first(air):
    air.add(fake.Peripheral("AA:BB:CC:DD:EE:08", "Fridge"))
    air.add(fake.Peripheral("AA:BB:CC:DD:EE:09", "WT901BLE67"))
    found = await scan_ble(0.05, scanner_backend=fake.FakeScanner)
    assert [(f.name, f.model, f.rssi_dbm) for f in found] == [("WT901BLE67", "witmotion", -60), ("Fridge", None, -60)]


async def test_serial_ports_are_listed_without_an_error():
    assert all(port.kind == "serial" and port.address for port in await list_serial_ports())


def test_importing_the_package_loads_neither_bleak_nor_pyserial():
    code = "import sys, subtalar.device, subtalar.transport; print({'bleak', 'serial', 'PySide6'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
