"""Which devices are within reach: Bluetooth advertisements and serial ports."""

import asyncio
from dataclasses import dataclass
from typing import Any

from subtalar.errors import LinkError
from subtalar.protocol import model_for_name

from .ble import failure_text
from .radio import import_bleak, radio_lock
from .spec import TransportKind


@dataclass(frozen=True)
class FoundDevice:
    """A device or port within reach. ``model`` None = the name tells nothing; ``rssi_dbm`` only over the air."""

    kind: TransportKind
    address: str
    name: str
    model: str | None = None
    rssi_dbm: int | None = None


async def scan_ble(duration_s: float = 5.0, *, scanner_backend: type[Any] | None = None) -> list[FoundDevice]:
    """Advertising devices, known models first, then the nearest first.

    Raises LinkError if there is no Bluetooth, or bleak is missing.
    """
    bleak = import_bleak()
    options: dict[str, Any] = {} if scanner_backend is None else {"backend": scanner_backend}
    try:
        async with radio_lock():
            seen = await bleak.BleakScanner.discover(duration_s, return_adv=True, **options)
    except (bleak.exc.BleakError, OSError, EOFError) as error:
        raise LinkError(f"Bluetooth devices cannot be listed. {failure_text('', error)}") from error
    found = []
    for device, advertisement in seen.values():
        name = advertisement.local_name or device.name or ""
        model = model_for_name(name)
        found.append(FoundDevice("ble", device.address, name, model.name if model else None, advertisement.rssi))
    return sorted(found, key=lambda f: (f.model is None, -(f.rssi_dbm or -999), f.address))


async def list_serial_ports() -> list[FoundDevice]:
    """Serial ports that the system knows, by name. Raises LinkError if pyserial is missing."""
    try:
        from serial.tools.list_ports import comports
    except ImportError as error:
        raise LinkError("Serial ports need pyserial: install it with  pip install 'subtalar[serial]'.") from error
    ports = await asyncio.to_thread(lambda: list(comports()))
    found = []
    for port in ports:
        name = port.product or port.description or ""
        is_ximu3 = "imu3" in name.lower().replace("-", "")
        found.append(FoundDevice("serial", port.device, name, "ximu3" if is_ximu3 else None))
    return sorted(found, key=lambda f: (f.model is None, f.address))
