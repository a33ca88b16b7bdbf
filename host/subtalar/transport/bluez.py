"""What bleak believes of BlueZ, the Bluetooth service of Linux, and how to make it look again."""

import asyncio
import sys
from contextlib import suppress
from typing import Any


def is_bluez(backend: type[Any] | None) -> bool:
    """Whether bleak speaks to BlueZ; ``backend`` stands in for bleak's own."""
    return backend is None and sys.platform == "linux"


async def connected_devices(bleak: Any, timeout_s: float) -> list[Any]:
    """bleak's devices that BlueZ holds a link to, those of a program that was killed among them.

    Raises what bleak raises where there is no radio, and TimeoutError if the service hangs.
    """
    if not hasattr(bleak, "BleakAdapter"):  # bleak < 3.1
        return []
    async with asyncio.timeout(timeout_s):
        adapter = await bleak.BleakAdapter.get()
        with suppress(NotImplementedError):
            return list(await adapter.get_connected_devices())
    return []


async def recover(error: Exception, timeout_s: float) -> None:
    """After a search could not begin: undo what would keep every later one from it, too."""
    with suppress(Exception):  # the next search says what is wrong
        async with asyncio.timeout(timeout_s):
            if type(error).__name__ == "BleakBluetoothNotAvailableError":
                await _reload_objects()
            elif getattr(error, "dbus_error", "") == "org.bluez.Error.InProgress":
                await _end_forgotten_search()


async def _reload_objects() -> None:
    """Have bleak ask BlueZ anew. There is no link that could be lost: there is no adapter.

    bleak 3.1 asks for all objects when it connects to the bus and keeps what it is told from then on, but what it is
    told between BlueZ's answer and its own look at it, it throws away (``bluezdbus/manager.py``, ``async_init``). A
    BlueZ that starts answers first and has an adapter a moment later; where the computer stands still in that moment,
    as on waking up, bleak reads both at once, and knows of no adapter for as long as the bus lives.
    """
    bus = (await _bluez_manager())._bus  # bleak has no public way
    if bus is not None:
        bus.disconnect()


async def _end_forgotten_search() -> None:
    """BlueZ has one search for each program, and began one that nobody waited for any more."""
    from dbus_fast import Message

    manager = await _bluez_manager()
    adapter = manager.get_default_adapter()
    await manager._bus.call(Message("org.bluez", adapter, "org.bluez.Adapter1", "StopDiscovery"))


async def _bluez_manager() -> Any:
    from bleak.backends.bluezdbus.manager import get_global_bluez_manager

    return await get_global_bluez_manager()
