"""Four sensors as one, and short visits."""

import asyncio
import os
import sys
import threading
from contextlib import suppress

import pytest

from subtalar.device import LinkPolicy, SessionClock, inspect_device, open_group, run_on_device
from subtalar.errors import InputError, LinkError
from subtalar.transport import parse_spec
from subtalar.types import BodySite

QUICK = LinkPolicy(retry_first_s=0.01, retry_max_s=0.02, first_attempts=2)


def specs(n: int = 4):
    return [parse_spec(f"{site}=tcp:127.0.0.1:{7000 + i}") for i, site in enumerate(list(BodySite)[:n])]


async def test_four_sensors_stream_on_one_clock_and_stop_together(new_ximu3, sink):
    devices = {}

    def transports(spec, protocol):
        device = devices.setdefault(spec.site, new_ximu3())
        return device.connect()

    clock = SessionClock()
    async with open_group(specs(), sink, clock, policy=QUICK, transports=transports) as group:
        waiting = asyncio.create_task(group.wait_streaming(60))
        while not waiting.done():
            for device in devices.values():
                device.stream(1)
            await asyncio.sleep(0.01)
        waiting.result()
        assert [s.link for s in group.statuses()] == ["streaming"] * 4
    assert [s.link for s in group.statuses()] == ["ended"] * 4
    assert {b.site for b in sink.blocks} == set(BodySite)
    assert all(0 <= t <= clock.now_s() for b in sink.blocks for t in b.host_time_s)
    assert all(device.send is None for device in devices.values())


async def test_one_that_is_missing_is_named(new_ximu3, sink):
    there, missing = new_ximu3(), new_ximu3()
    missing.refuse = 99
    made = {BodySite.LEFT_FOOT: there, BodySite.LEFT_SHANK: missing}
    async with open_group(specs(2), sink, policy=QUICK, transports=lambda s, p: made[s.site].connect()) as group:
        with pytest.raises(LinkError, match="left_shank: Nobody is there"):
            await group.wait_streaming(60)


async def test_waiting_has_an_end(new_ximu3, sink):
    device = new_ximu3()
    async with open_group(specs(1), sink, policy=QUICK, transports=lambda s, p: device.connect()) as group:
        with pytest.raises(LinkError, match="left_foot: no answer yet"):
            await group.wait_streaming(0.2)


def test_two_sensors_cannot_share_a_place_or_an_address(sink):
    with pytest.raises(InputError, match="left_foot"):
        open_group([*specs(1), parse_spec("left_foot=tcp:127.0.0.1:9999")], sink)
    with pytest.raises(InputError, match=r"127\.0\.0\.1:7000"):
        open_group([*specs(1), parse_spec("right_foot=tcp:127.0.0.1:7000")], sink)
    with pytest.raises(InputError, match="where the sensor sits"):
        open_group([parse_spec("tcp:127.0.0.1:7000", need_site=False)], sink)


@pytest.mark.parametrize(
    ("first", "second", "port"),
    [
        ("127.0.0.1:9998:8123", "127.0.0.1:9999:8123", 8123),
        ("10.0.1.5:9000", "10.0.2.5:9000", 8005),
        ("10.0.1.5:9000", "sensor.local:9000:8005", 8005),
    ],
)
def test_two_sensors_cannot_send_to_one_port_here(sink, first, second, port):
    both = [parse_spec(f"left_foot=udp:{first}"), parse_spec(f"right_foot=udp:{second}")]
    with pytest.raises(InputError, match=f"left_foot and right_foot would both send to port {port} .* of its own"):
        open_group(both, sink)


def test_sensors_with_ports_of_their_own_or_unknown_ones_are_no_trouble(sink):
    addresses = ("10.0.1.5:9000", "10.0.1.6:9000", "one.local:9000", "two.local:9000")
    pairs = zip(BodySite, addresses, strict=True)
    group = open_group([parse_spec(f"{site}=udp:{address}") for site, address in pairs], sink)
    assert set(group.streams) == set(BodySite)


@pytest.mark.skipif(sys.platform == "win32", reason="needs links without rights of their own")
def test_a_link_to_a_serial_port_is_that_port(sink, tmp_path):
    port, link = tmp_path / "ttyacm0", tmp_path / "by-id"
    port.touch()
    link.symlink_to(port)
    with pytest.raises(InputError, match=r"Two devices are given for serial:.*ttyacm0"):
        open_group([parse_spec(f"left_foot=serial:{port}"), parse_spec(f"right_foot=serial:{link}")], sink)


async def test_a_visit_tells_who_is_there(new_ximu3):
    device = new_ximu3()

    def answer(data: bytes) -> bytes:
        device.stream(2)
        return b'{"serial_number":"0123-4567"}\n' if b"serial_number" in data else data

    device.answer = answer

    async def keep_streaming():
        while True:
            device.stream(1)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(keep_streaming())
    spec = parse_spec("tcp:127.0.0.1:7000", need_site=False)
    report = await inspect_device(spec, 0.05, policy=QUICK, transports=lambda s, p: device.connect())
    assert report.replies["serialnumber"] == "0123-4567"
    assert report.status.ledger.received > 0
    report = await run_on_device(spec, lambda p: p.blink(), policy=QUICK, transports=lambda s, p: device.connect())
    assert b'{"blink":null}\n' in device.got
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals on this system")
async def test_end_to_end_over_a_pseudo_terminal(new_ximu3, sink):
    """The production path: spec, pyserial, codec, ledger; the device is a thread at the other end of a pty."""
    import pty
    import tty

    master, slave = pty.openpty()
    tty.setraw(slave)
    device = new_ximu3()
    stop = threading.Event()
    os.set_blocking(master, False)

    def serve() -> None:
        device.send = lambda data: os.write(master, data) and None
        pending = b""
        count = 0
        while not stop.wait(0.005):
            with suppress(BlockingIOError):
                pending += os.read(master, 4096)
            *lines, pending = pending.split(b"\n")
            for line in lines:
                device.receive(line + b"\n")
            count += 1
            if count % 10 == 0:
                device.lose(1)
            device.stream(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        spec = parse_spec(f"right_foot=serial:{os.ttyname(slave)},model=ximu3,rate=100")
        async with open_group([spec], sink, policy=QUICK) as group:
            await group.wait_streaming(60)
            await sink.until(lambda: sink.n > 60)
            ledger = group.statuses()[0].ledger
    finally:
        stop.set()
        thread.join()
        os.close(master)
        os.close(slave)
    assert ledger.corrupt_bytes == 0
    assert ledger.lost == pytest.approx(ledger.received / 10, abs=1.5)
