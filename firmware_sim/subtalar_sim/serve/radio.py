"""A radio inside this process: Bumble controllers on a local link, one central and any number of peripherals.

Facts about Bumble 0.0.2xx that shaped this file: its LE Create Connection Cancel does nothing, so an abandoned
connect would block every later one; its default ACL length of 27 bytes costs a quarter of the throughput; it has no
supervision timeout; it takes one pending connection at a time.
"""

import asyncio
import logging
from typing import Any, Final

from bumble.controller import Controller
from bumble.device import Device, DeviceConfiguration
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink

# Packets that cross a hang-up on the way are normal on a radio; Bumble warns of each of them.
logging.getLogger("bumble").setLevel(logging.ERROR)

_ACL_LENGTH: Final = 251
CENTRAL_ADDRESS: Final = "F0:00:00:00:00:01"


class RadioController(Controller):
    """A controller whose pending connection can be given up."""

    le_acl_data_packet_length = _ACL_LENGTH
    supported_max_tx_octets = _ACL_LENGTH
    supported_max_rx_octets = _ACL_LENGTH

    def abandon_connect(self) -> None:
        """Forget the pending connection, as a real controller does on LE Create Connection Cancel."""
        self.pending_le_connection = None


class Radio:
    """The air of one process. ``central`` is what a host's Bluetooth adapter would be."""

    def __init__(self) -> None:
        self.link: Any = LocalLink()  # type: ignore[no-untyped-call]
        self._devices: list[Any] = []
        self.connect_lock = asyncio.Lock()
        self._controller, self.central = self._make("central", CENTRAL_ADDRESS, b"")

    def _make(self, name: str, address: str, advertising: bytes) -> tuple[RadioController, Any]:
        controller = RadioController(name, link=self.link)
        # Host and controller call each other directly: no HCI transport in between.
        config = DeviceConfiguration(
            name=name,
            address=Address(address, Address.RANDOM_DEVICE_ADDRESS),
            advertising_data=advertising,
            advertising_interval_min=100.0,
            advertising_interval_max=100.0,
        )
        config.keystore = None
        device = Device(config=config, host=Host(controller_source=controller, controller_sink=controller))
        self._devices.append(device)
        return controller, device

    def add_device(self, name: str, address: str, advertising: bytes) -> Any:
        """A peripheral's Bumble device, not yet powered."""
        return self._make(name, address, advertising)[1]

    async def power_on(self) -> None:
        """Power every device that was added."""
        for device in self._devices:
            if not device.powered_on:
                await device.power_on()

    async def power_off(self) -> None:
        """Hang up and power down."""
        for connection in list(self.central.connections.values()):
            await self.hang_up(connection)
        for device in self._devices:
            if device.is_advertising:
                await device.stop_advertising()
            await device.power_off()

    async def connect(self, address: str, timeout_s: float) -> Any:
        """A connection of the central to ``address``. Raises TimeoutError; a cancelled connect blocks nothing."""
        peer = Address(address, Address.RANDOM_DEVICE_ADDRESS)
        async with asyncio.timeout(timeout_s), self.connect_lock:
            try:
                return await self.central.connect(peer, timeout=None)
            except BaseException:
                self._controller.abandon_connect()
                late = self.central.find_connection_by_bd_addr(peer)
                if late is not None:
                    await self.hang_up(late)
                raise

    def holds(self, connection: Any) -> bool:
        """Whether a connection of the central has not ended yet."""
        return any(held is connection for held in self.central.connections.values())

    async def hang_up(self, connection: Any) -> None:
        """Disconnect from either end; a link that is already gone is not an error."""
        try:
            await connection.disconnect()
        except Exception as error:  # Bumble raises its own and HCI errors here, all meaning: no such link any more
            if isinstance(error, AssertionError):
                raise
