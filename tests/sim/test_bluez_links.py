"""Links of the private org.bluez that end at an awkward moment, over a radio that does what the test says."""

import asyncio
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("bumble", reason="Bluetooth tests need bumble")
if sys.platform != "linux":
    pytest.skip("BlueZ is for Linux", allow_module_level=True)

from dbus_fast import Message

from subtalar_sim.serve.bluez.device import RemoteDevice
from subtalar_sim.serve.bluez.objects import DBusRefusal, ObjectTree

CONNECT = Message("org.bluez", "/org/bluez/hci0", "org.bluez.Device1", "Connect")


class Link:
    """A connection whose other end never answers."""

    def __init__(self, *, ended: bool = False) -> None:
        self.ended, self._heard = ended, list[Callable[[int], None]]()
        self.asked = 0
        self.gatt_client = SimpleNamespace(request_mtu=self._request_mtu)

    async def _request_mtu(self, mtu: int) -> int:
        self.asked += 1
        return await asyncio.get_running_loop().create_future()

    def on(self, event: str, heard: Callable[[int], None]) -> None:
        assert event == "disconnection"
        self._heard.append(heard)

    def end(self) -> None:
        if not self.ended:
            self.ended = True
            for heard in self._heard:
                heard(0x13)


class Radio:
    def __init__(self, *links: Link) -> None:
        self._links = list(links)

    async def connect(self, address: str, timeout_s: float) -> Link:
        return self._links.pop(0)

    def holds(self, link: Link) -> bool:
        return not link.ended

    async def hang_up(self, link: Link) -> None:
        link.end()
        await asyncio.sleep(0.05)


def device_of(radio: Radio) -> RemoteDevice:
    return RemoteDevice(ObjectTree(lambda _: None), radio, "/org/bluez/hci0", "C6:00:00:00:00:09", lambda _: None)


async def test_a_link_that_ended_before_anybody_listened_for_its_end_is_none() -> None:
    device = device_of(Radio(Link(ended=True)))
    with pytest.raises(DBusRefusal, match="abort"):
        await device._connect(CONNECT)
    assert not device.connected
    await device.close()


async def test_nobody_asks_for_the_services_of_a_link_that_has_ended() -> None:
    link = Link()
    device = device_of(Radio(link))
    await device._connect(CONNECT)
    link.end()
    (resolving,) = device._jobs
    await resolving
    assert not link.asked
    await device.close()


async def test_the_end_of_one_link_is_not_taken_for_the_end_of_the_next() -> None:
    first, second = Link(), Link()
    device = device_of(Radio(first, second))
    await device._connect(CONNECT)
    hanging_up = asyncio.create_task(device.hang_up())
    await asyncio.sleep(0.01)
    assert first.ended  # which was told, while hanging up is not through yet
    await device._connect(CONNECT)
    await hanging_up
    assert device.connected
    await device.close()
    assert second.ended


async def just_made(device: RemoteDevice) -> "asyncio.Task[Any]":
    """A call of Connect whose link has been made, but which has not seen it yet."""
    connecting = asyncio.create_task(device._connect(CONNECT))
    await asyncio.sleep(0)
    attempt = device._connecting
    assert attempt is not None
    await attempt
    return connecting


async def test_a_service_that_dies_ends_a_link_that_has_just_been_made() -> None:
    link = Link()
    device = device_of(Radio(link))
    connecting = await just_made(device)
    connecting.cancel()
    await device.close()
    assert connecting.cancelled()
    assert link.ended
    assert not device.connected


async def test_hanging_up_ends_a_link_that_has_just_been_made() -> None:
    link = Link()
    device = device_of(Radio(link))
    connecting = await just_made(device)
    assert not device.connected
    await device.hang_up()
    await connecting
    assert link.ended
    assert not device.connected
    await device.close()
