"""Bluetooth LE through bleak. ``bleak`` itself is only imported when a link is opened."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from subtalar.errors import LinkError
from subtalar.protocol import GattProfile

from .base import Chunk, OnChunk, OnClosed, OutOfReachError
from .radio import import_bleak, radio_lock, radio_search, with_backend

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic

_log = logging.getLogger(__name__)
SCAN_TIMEOUT_S = 8.0
CONNECT_TIMEOUT_S = 10.0
_CONNECT_GRACE_S = 2.0
_SETUP_TIMEOUT_S = 5.0
_GATT_TIMEOUT_S = 3.0
_DISCONNECT_TIMEOUT_S = 3.0


class BleTransport:
    """A link to one peripheral. The backends replace bleak's own, for a simulated radio."""

    def __init__(
        self,
        address: str,
        gatt: GattProfile,
        *,
        scanner_backend: type[Any] | None = None,
        client_backend: type[Any] | None = None,
        scan_timeout_s: float = SCAN_TIMEOUT_S,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self._address, self._gatt = address, gatt
        self._scanner_backend, self._client_backend = scanner_backend, client_backend
        self._scan_timeout_s, self._connect_timeout_s = scan_timeout_s, connect_timeout_s
        self._client: BleakClient | None = None
        self._on_chunk: OnChunk | None = None
        self._on_closed: OnClosed | None = None
        self._hung_up = False

    @property
    def address(self) -> str:
        """See :class:`Transport`."""
        return self._address

    async def open(self, on_chunk: OnChunk, on_closed: OnClosed) -> None:
        """See :class:`Transport`. One link at a time is set up; the others wait for the radio. OutOfReachError if the
        sensor was not heard.

        The device object of the scan is what is connected to: by address alone fails now and then on macOS.
        """
        import_bleak()
        self._on_chunk = on_chunk
        device = await self._find()
        try:
            async with radio_lock():
                try:
                    client = await self._connect(device)
                    async with asyncio.timeout(_SETUP_TIMEOUT_S):
                        await self._subscribe(client)
                    # The callback can fire before connect() has returned: then there is no link to speak of.
                    if self._hung_up:
                        raise LinkError(f"The sensor {self._address} hung up while it was being connected.")
                except BaseException:
                    await self.close()
                    raise
            self._on_closed = on_closed
        except LinkError:
            raise
        except TimeoutError:
            raise LinkError(
                f"The sensor {self._address} was found but does not answer: switch it off and on."
            ) from None
        except Exception as error:
            raise self._translated(error) from error

    async def _find(self) -> Any:
        search = radio_search(self._scanner_backend)
        try:
            device = await search.find(self._address, self._scan_timeout_s)
        except LinkError:
            raise
        except Exception as error:
            raise OutOfReachError(str(self._translated(error))) from error
        if device is None:
            raise OutOfReachError(
                f"No sensor with the address {self._address} was found: check that it is on, charged, near, "
                "and not connected to a phone."
            )
        return device

    def _translated(self, error: Exception) -> LinkError:
        # A Bluetooth service that dies makes bleak and dbus-fast raise all sorts of things, KeyError among them.
        _log.debug("%s: %r", self._address, error, exc_info=error)
        return LinkError(failure_text(self._address, error))

    async def _connect(self, device: Any) -> "BleakClient":
        client: BleakClient = import_bleak().BleakClient(
            device,
            disconnected_callback=self._disconnected,
            timeout=self._connect_timeout_s,
            **with_backend(self._client_backend),
        )
        self._client = client
        # bleak's own timeout does not cover every backend.
        async with asyncio.timeout(self._connect_timeout_s + _CONNECT_GRACE_S):
            await client.connect()
        return client

    async def _subscribe(self, client: "BleakClient") -> None:
        if client.services.get_service(self._gatt.service) is None:
            raise LinkError(f"The device {self._address} is not of the stated model: it lacks that model's service.")
        for uuid in self._gatt.notify:
            await client.start_notify(uuid, self._notified)

    def _notified(self, characteristic: "BleakGATTCharacteristic", data: bytearray) -> None:
        arrival_ns = time.monotonic_ns()
        if self._on_chunk is not None:
            self._on_chunk(Chunk(arrival_ns, bytes(data), characteristic.uuid))

    def _disconnected(self, _client: "BleakClient") -> None:
        self._hung_up = True
        on_closed, self._on_closed = self._on_closed, None
        if on_closed is not None:
            on_closed(f"The sensor {self._address} disconnected.")

    def _connected_client(self) -> "BleakClient":
        if self._client is None:
            raise LinkError(f"The sensor {self._address} is not connected.")
        return self._client

    async def write(self, data: bytes, to: str = "", *, with_response: bool = False) -> None:
        """See :class:`Transport`."""
        target = to or self._gatt.write
        if target is None:
            raise LinkError(f"The device {self._address} has no characteristic to write to.")
        await self._gatt_call(self._connected_client().write_gatt_char(target, data, response=with_response))

    async def read(self, source: str) -> bytes:
        """See :class:`Transport`."""
        return bytes(await self._gatt_call(self._connected_client().read_gatt_char(source)))

    async def _gatt_call(self, call: Any) -> Any:
        try:
            async with asyncio.timeout(_GATT_TIMEOUT_S):
                return await call
        except TimeoutError:
            raise LinkError(f"The sensor {self._address} does not answer.") from None
        except Exception as error:
            raise self._translated(error) from error

    async def close(self) -> None:
        """See :class:`Transport`."""
        client, self._client = self._client, None
        self._on_chunk = self._on_closed = None
        if client is None:
            return
        try:
            async with asyncio.timeout(_DISCONNECT_TIMEOUT_S):
                await client.disconnect()
        except Exception as error:  # the stack will find out by itself
            self._translated(error)


def failure_text(address: str, error: Exception) -> str:
    """What went wrong with the radio or the sensor, as one sentence."""
    # Without a Bluetooth service BlueZ's bus has no socket: FileNotFoundError, or ConnectionRefusedError.
    absent = isinstance(error, FileNotFoundError | ConnectionRefusedError)
    # Where the service is not running, the bus answers for it.
    absent = absent or str(getattr(error, "dbus_error", "")).endswith((".ServiceUnknown", ".NameHasNoOwner"))
    if absent or type(error).__name__ == "BleakBluetoothNotAvailableError":
        return "Bluetooth is not available: switch it on, and allow this program to use it."
    text = str(error) or type(error).__name__
    who = f"The sensor {address} cannot be reached" if address else "The radio does not answer"
    return f"{who} ({text.splitlines()[0]})."
