"""Bus and service together, each of which can be killed and brought back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from subtalar_sim.serve.bluez.daemon import MessageBusDaemon
from subtalar_sim.serve.bluez.service import BlueZService
from subtalar_sim.serve.radio import Radio


class PrivateBlueZ:
    """A simulated radio as Linux programs see it. ``address`` goes into DBUS_SYSTEM_BUS_ADDRESS."""

    def __init__(self, radio: Radio) -> None:
        self._daemon, self._service = MessageBusDaemon(), BlueZService(radio)

    @property
    def address(self) -> str:
        """Stays the same over every death."""
        return self._daemon.address

    async def start(self) -> None:
        """Bus first, then the service. Raises OSError where there can be no private bus."""
        await self._daemon.start()
        await self.start_service()

    async def start_service(self) -> None:
        """``org.bluez`` comes (back). Raises OSError without a bus."""
        await self._service.start(self.address)

    async def kill_service(self) -> None:
        """``org.bluez`` dies, the bus lives on."""
        await self._service.kill()

    async def kill_bus(self) -> None:
        """The message bus dies, and ``org.bluez`` with it, as bluetoothd does."""
        await self._daemon.kill()
        await self._service.kill()

    async def stop(self) -> None:
        """The end of both."""
        await self._service.kill()
        await self._daemon.kill()


@asynccontextmanager
async def private_bluez(radio: Radio) -> AsyncIterator[PrivateBlueZ]:
    """Serve ``radio`` on a private bus until the context ends. Raises OSError where there can be no such bus."""
    bluez = PrivateBlueZ(radio)
    try:
        await bluez.start()
        yield bluez
    finally:
        await asyncio.shield(bluez.stop())
