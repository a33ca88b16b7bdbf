"""Records an x-IMU3 over TCP and comes back when the link breaks. Its messages end with a line feed."""

import select
import socket
import time
from collections.abc import Iterator

INERTIAL = 0xC9  # 0x80 | "I", the first byte of an inertial message


class Recorder:
    """``links`` are the messages that arrived whole, by connection."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self._where = host, int(port)
        self.links: list[list[bytes]] = []

    @property
    def samples(self) -> int:
        """Inertial messages so far."""
        return sum(map(samples_in, self.links))

    def run(self, seconds: float) -> None:
        """Record for that long, over as many connections as it takes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(self._where, timeout=0.5) as link:
                    self._record(link, deadline)
            except OSError:
                pass
            time.sleep(0.1)  # who is out of reach hangs up at once, too

    def _record(self, link: socket.socket, deadline: float) -> None:
        messages: list[bytes] = []
        self.links.append(messages)
        rest = b""
        for chunk in self._chunks(link, deadline):
            *whole, rest = (rest + chunk).split(b"\n")
            messages += whole

    def _chunks(self, link: socket.socket, deadline: float) -> Iterator[bytes]:
        while time.monotonic() < deadline or _holds_data(link):
            chunk = link.recv(4096)
            if not chunk:
                return
            yield chunk


def _holds_data(link: socket.socket) -> bool:
    """What has arrived belongs to the recording, however late the computer comes to it."""
    return bool(select.select([link], [], [], 0.0)[0])


def samples_in(messages: list[bytes]) -> int:
    """How many of them are inertial."""
    return sum(message[0] == INERTIAL for message in messages if message)
