"""The vendor's own library reads the simulated x-IMU3: an independent judge of frames, commands and discovery."""

import asyncio
import time
from typing import Any

import numpy as np
import pytest

from subtalar.protocol import InertialSamples, create_protocol
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.firmware.base import Payload
from subtalar_sim.serve.live import simulated_hardware
from subtalar_sim.serve.streams import TcpLink

ximu3 = pytest.importorskip("ximu3", reason="the vendor's library comes with the dev extra")

RATE_HZ = 200.0
CONFIG = SimulationConfig(
    body=BodyConfig(seed=3), sites=("right_foot",), device="ximu3", transport="tcp", rate_hz=RATE_HZ
)


class Visitor:
    """What the vendor's library made of the connection. Its callbacks come from threads of its own."""

    def __init__(self, address: str) -> None:
        host, port = address.split(":")
        self.rows: list[list[float]] = []
        self.errors: list[Any] = []
        self.answers: list[Any] = []
        self.ping = self.statistics = None
        self._connection = ximu3.Connection(ximu3.TcpConnectionConfig(host, int(port)))

    def visit(self, commands: list[str], seconds_s: float) -> None:
        """Connect, ping, send commands, listen. Blocks."""
        connection = self._connection
        connection.add_inertial_callback(self._inertial)
        connection.add_receive_error_callback(self.errors.append)
        connection.open()
        try:
            self.ping = connection.ping()
            self.answers = list(connection.send_commands(commands, 2, 500))
            time.sleep(seconds_s)
            self.statistics = connection.get_statistics()
        finally:
            connection.close()

    def _inertial(self, m: Any) -> None:
        gyr = m.gyroscope_x, m.gyroscope_y, m.gyroscope_z
        self.rows.append([m.timestamp, *gyr, m.accelerometer_x, m.accelerometer_y, m.accelerometer_z])


async def visited(monkeypatch: pytest.MonkeyPatch, commands: list[str]) -> tuple[Visitor, bytes]:
    """The visit, and every byte that the simulated sensor sent meanwhile."""
    sent = bytearray()
    whole_send = TcpLink.send

    def send(link: TcpLink, payload: Payload) -> bool:
        taken = whole_send(link, payload)
        if taken:
            sent.extend(payload.data)
        return taken

    monkeypatch.setattr(TcpLink, "send", send)
    async with simulated_hardware(CONFIG) as hardware:
        address = hardware.specs[0].split("tcp:")[1].split(",")[0]
        visitor = Visitor(address)
        await asyncio.get_running_loop().run_in_executor(None, visitor.visit, commands, 1.0)
    return visitor, bytes(sent)


async def test_the_vendor_reads_what_the_simulated_sensor_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, sent = await visited(monkeypatch, [])
    assert visitor.errors == []
    assert visitor.statistics is not None
    assert visitor.statistics.error_total == 0
    theirs = np.array(visitor.rows)
    assert len(theirs) > 0.5 * RATE_HZ
    ours = [e for e in create_protocol("ximu3", RATE_HZ).feed(sent) if isinstance(e, InertialSamples)]
    times = np.concatenate([e.device_time_us for e in ours if e.device_time_us is not None])
    # Both decoders saw the same bytes from the first on; the last ones may still have been under way.
    n = len(theirs)
    np.testing.assert_array_equal(theirs[:, 0], times[:n])
    gyr = np.concatenate([e.gyr_rad_s for e in ours])[:n]
    acc = np.concatenate([e.acc_m_s2 for e in ours])[:n]
    np.testing.assert_allclose(np.radians(theirs[:, 1:4]), gyr, atol=1e-5)
    np.testing.assert_allclose(theirs[:, 4:7] * 9.80665, acc, atol=1e-4)


async def test_the_simulated_sensor_understands_what_the_vendor_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, _ = await visited(monkeypatch, ['{"inertialMessageRateDivisor":null}', '{"no_such_setting":1}'])
    assert visitor.ping is not None
    assert visitor.ping.serial_number.startswith("5175-") or visitor.ping.serial_number
    known, unknown = visitor.answers
    assert known is not None
    assert (known.error, known.value) == ("", "2")
    assert unknown is not None
    assert unknown.error
