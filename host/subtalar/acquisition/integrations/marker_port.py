"""Markers from other programs on this computer: each UDP datagram to a port of the loopback is a label."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from subtalar.acquisition.commands import Command, Mark
from subtalar.errors import LinkError

_LOOPBACK = "127.0.0.1"


class _MarkerPort(asyncio.DatagramProtocol):
    def __init__(self, on_command: Callable[[Command], None]) -> None:
        self._on_command = on_command

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._on_command(Mark(data.decode("utf-8", "replace")))


@asynccontextmanager
async def marker_port(port: int, on_command: Callable[[Command], None]) -> AsyncIterator[int]:
    """Listen on 127.0.0.1 for labels in UTF-8; gives the port, which the system chooses where ``port`` is 0.

    Raises LinkError where the port is taken.
    """
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _MarkerPort(on_command), local_addr=(_LOOPBACK, port)
        )
    except OSError as error:
        raise LinkError(
            f"UDP port {port} of this computer cannot be listened to for markers ({error.strerror}): choose another."
        ) from error
    try:
        yield int(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
