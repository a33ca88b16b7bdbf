"""Fixtures for tests against simulated sensors; pytest finds them wherever ``subtalar`` is installed.

They are plain functions, so that they work with pytest-asyncio, anyio, or no event loop at all. Nothing but pytest is
imported until a fixture is used. See docs/how-to/test-against-simulated-sensors.md.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from subtalar_sim.config import SimulationConfig
    from subtalar_sim.testing.accelerated import SimulatedLegs
    from subtalar_sim.testing.served import ServedSensors
    from subtalar_sim.types import FloatArray

_RIGHT_LEG = ("right_foot", "right_shank")
_BOTH_LEGS = ("right_foot", "right_shank", "left_foot", "left_shank")


class MakesLegs(Protocol):
    """What ``simulated_leg`` and ``simulated_legs`` are."""

    def __call__(
        self,
        seconds: float = 30.0,
        *,
        device: str = "ximu3",
        seed: int = 0,
        style: str = "normal",
        faults: str = "",
        **changes: Any,
    ) -> SimulatedLegs:
        """See the fixture."""
        ...


class ServesSensors(Protocol):
    """What ``serve_sensors`` is."""

    def __call__(
        self,
        device: str = "ximu3",
        *,
        sites: tuple[str, ...] = _RIGHT_LEG,
        seed: int = 0,
        style: str = "normal",
        faults: str = "",
        **changes: Any,
    ) -> ServedSensors:
        """See the fixture."""
        ...


def _config(sites: tuple[str, ...], device: str, seed: int, style: str, faults: str, changes: Any) -> SimulationConfig:
    from subtalar_sim.body import BodyConfig
    from subtalar_sim.config import SimulationConfig
    from subtalar_sim.faults import parse_faults

    if isinstance(changes.get("motion"), str | PathLike):
        from subtalar_sim.motion import read_motion

        changes["motion"] = read_motion(changes["motion"])
    body = changes.pop("body", None) or BodyConfig(seed=seed, style=style, walking_s=600.0)
    return SimulationConfig(body=body, sites=sites, device=device, **changes).with_faults(parse_faults(faults))


def _legs(sites: tuple[str, ...]) -> MakesLegs:
    def make(
        seconds: float = 30.0,
        *,
        device: str = "ximu3",
        seed: int = 0,
        style: str = "normal",
        faults: str = "",
        **changes: Any,
    ) -> SimulatedLegs:
        from subtalar_sim.testing.accelerated import SimulatedLegs

        chosen = changes.pop("sites", sites)
        return SimulatedLegs(_config(chosen, device, seed, style, faults, changes), seconds)

    return make


@pytest.fixture
def simulated_leg() -> MakesLegs:
    """Makes a leg with a sensor on the foot and one on the shank: numbers and bytes at once, faster than life.

    ``leg = simulated_leg(seconds=30, device="ximu3", seed=0, style="normal", faults="loss=0.02")``; further keywords
    are fields of ``subtalar_sim.config.SimulationConfig`` (``rate_hz``, ``quality``, ``orientation``, ``sites``…).
    ``leg.samples("right_foot")`` gives arrays, ``leg.stream("right_foot")`` the bytes as the device sends them,
    ``leg.truth_deg("right", t_s)`` the true ankle angles, ``leg.strides("right")`` the true strides,
    ``leg.write(folder)`` a raw session folder. Equal arguments give equal numbers. With ``motion=folder`` the leg does
    what was recorded in that raw session folder, and its truth is what stands beside it.
    """
    return _legs(_RIGHT_LEG)


@pytest.fixture
def simulated_legs() -> MakesLegs:
    """As ``simulated_leg``, with four sensors on both legs."""
    return _legs(_BOTH_LEGS)


@pytest.fixture
def truth_angles(simulated_legs: MakesLegs) -> Callable[..., FloatArray]:
    """``truth_angles(side, t_s, seed=0, style="normal")``: dorsiflexion, inversion and tibial rotation (n, 3) in
    degrees of the body that the other fixtures simulate with that seed and style, at session times ``t_s`` (n,).
    """

    def truth(side: Any, t_s: FloatArray, seed: int = 0, style: str = "normal") -> FloatArray:
        seconds = float(max(t_s, default=0.0)) + 30.0  # the last steps depend on when the walk ends
        return simulated_legs(seconds, seed=seed, style=style).truth_deg(side, t_s)

    return truth


@pytest.fixture
def serve_sensors() -> Iterator[ServesSensors]:
    """Serves sensors in real time (or ``speed`` times as fast) beside the test, until the test ends.

    ``sensors = serve_sensors("ximu3", sites=("right_foot",), faults="drop_link@3s+1s")``; ``sensors.specs`` are device
    specs, ``sensors.addresses["right_foot"]`` is where to connect (``transport="tcp"``, ``"udp"``, ``"pty"`` or
    ``"ble"``; each device has its usual one), ``sensors.truth_deg``, ``sensors.ledger(site)`` what became of each
    sample, ``sensors.take_down(site)`` and ``bring_up`` break and mend a link. Over ``ble`` they are seen by programs
    (Linux with dbus-daemon; skips elsewhere) that have ``sensors.environment`` in their environment; while the test
    runs, this process has it, too.
    """
    from subtalar_sim.testing.served import ServedSensors

    running: list[ServedSensors] = []
    with pytest.MonkeyPatch.context() as environment:

        def serve(
            device: str = "ximu3",
            *,
            sites: tuple[str, ...] = _RIGHT_LEG,
            seed: int = 0,
            style: str = "normal",
            faults: str = "",
            **changes: Any,
        ) -> ServedSensors:
            sensors = ServedSensors(_config(sites, device, seed, style, faults, changes))
            _skip_without_bluetooth(sensors.config)
            sensors.start()
            running.append(sensors)
            for name, value in sensors.environment.items():
                environment.setenv(name, value)
            return sensors

        try:
            yield serve
        finally:
            for sensors in running:
                sensors.stop()


def _skip_without_bluetooth(config: SimulationConfig) -> None:
    from subtalar_sim.serve.bluez.daemon import why_no_message_bus

    if (config.transport or config.model.transports[0]) == "ble" and why_no_message_bus():
        pytest.skip(f"no simulated Bluetooth for other code here: {why_no_message_bus()}")


@pytest.fixture
def served_leg(serve_sensors: ServesSensors) -> ServedSensors:
    """A right leg with two x-IMU3 on TCP, in real time, without faults: ``served_leg.specs``, ``.addresses``."""
    return serve_sensors()


@pytest.fixture
def lossy_link(serve_sensors: ServesSensors) -> ServedSensors:
    """As ``served_leg`` on a bad day: 3 % of the samples are lost in gaps, what is sent comes late and unevenly, and
    after 2 s both links break for 1 s.
    """
    return serve_sensors(faults="loss=0.03, delay=20ms, jitter=10ms, drop_link@2s+1s")


@pytest.fixture
def rebooting_sensor(serve_sensors: ServesSensors) -> ServedSensors:
    """One x-IMU3 on TCP (``right_foot``) that reboots after 2 s, for half a second: its clock begins anew."""
    return serve_sensors(sites=("right_foot",), faults="reboot@2s+0.5s")
