"""Simulated sensors as the measurements want them."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from subtalar.cli.missing import missing_package
from subtalar.errors import InputError

if TYPE_CHECKING:
    from subtalar_bench.codecs import Capture


def random_trial(seed: int, duration_s: float, now: Callable[[], float]) -> Any:
    """Simulated sensors in memory with random faults, on the clock ``now``."""
    try:
        from subtalar_sim.serve.trial import random_trial as draw
    except ImportError as error:
        raise missing_package(error, "sim") from None
    return draw(seed, duration_s, now)


def simulated_day(device: str, script: str, now: Callable[[], float]) -> Any:
    """A leg of simulated sensors in memory whose clocks run apart, with these faults, on the clock ``now``."""
    try:
        from subtalar_sim.serve.hours import make_hours_trial
    except ImportError as error:
        raise missing_package(error, "sim") from None
    return make_hours_trial(device, script, now)


def no_message_bus() -> str:
    """Why simulated Bluetooth cannot be reached through BlueZ here; empty if it can."""
    from subtalar_sim.serve.bluez.daemon import why_no_message_bus

    return why_no_message_bus()


@contextmanager
def simulated_behind_bluez(device: str) -> Iterator[tuple[str, ...]]:
    """Device specs of sensors in another process, which this one reaches as it would reach real ones. Linux only."""
    code = "from subtalar.cli import main; main()"
    command = [sys.executable, "-c", code, "sim", "serve", "--device", device, "--transport", "ble"]
    served = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    before = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
    try:
        assert served.stdout is not None
        lines = [served.stdout.readline().strip() for _ in range(5)]
        if not all(lines):
            raise InputError("The simulated sensors did not start.")
        name, address = lines[0].split("=", 1)
        os.environ[name] = address
        yield tuple(lines[1:])
    finally:
        os.environ.pop("DBUS_SYSTEM_BUS_ADDRESS", None)
        if before is not None:
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = before
        served.kill()  # its message bus goes with it
        served.communicate()


def simulated_captures(seconds: float = 20.0) -> "list[Capture]":
    """So much of every device that can be simulated, after its codec's own configuration."""
    from subtalar.protocol import create_protocol
    from subtalar_bench.codec_dialogue import CodecDialogue
    from subtalar_bench.codecs import Capture

    try:
        from subtalar_sim.config import SimulationConfig
        from subtalar_sim.faults import NO_FAULTS, GapDrawer
        from subtalar_sim.firmware.base import RefusedByDevice, Unit
        from subtalar_sim.firmware.registry import SIMULATED
    except ImportError as error:
        raise missing_package(error, "sim") from None
    captures = []
    for device in SIMULATED.values():
        rate_hz, transport = device.default_rate_hz, device.transports[0]
        config = SimulationConfig(device=device.name, rate_hz=rate_hz, transport=transport)
        gaps = GapDrawer(NO_FAULTS, rate_hz, 0, "right_foot")
        imu, clock = config.make_imu(config.make_body(), "right_foot"), config.make_clock("right_foot")
        firmware = device.make(Unit(imu, clock, gaps, rate_hz, interface=transport))
        protocol = create_protocol(device.name, rate_hz)
        dialogue = CodecDialogue(protocol, firmware)
        dialogue.refusal = RefusedByDevice
        dialogue.run(protocol.configure())
        configured = copy.deepcopy(protocol)
        dialogue.heard.clear()
        dialogue.pass_time(seconds)
        captures.append(Capture(device.name, configured, dialogue.heard, dialogue.over_gatt))
    return captures
