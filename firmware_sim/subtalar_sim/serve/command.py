"""The command line's entry: serve simulated devices and say where to connect."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import parse_faults
from subtalar_sim.firmware.registry import find_simulated
from subtalar_sim.motion import RecordedMotion
from subtalar_sim.serve.bluez.daemon import why_no_message_bus
from subtalar_sim.serve.live import default_transport, simulated_hardware
from subtalar_sim.types import SITES

_LOOK_S: Final = 0.1
_WITHOUT_PORTS: Final = ("pty", "ble")
_WALKS_S: Final = 45.0


def serve(
    device: str,
    transport: str | None = None,
    *,
    port: int = 0,
    duration_s: float | None = None,
    seed: int = 0,
    speed: float = 1.0,
    style: str = "normal",
    rate_hz: float = 0.0,
    sites: tuple[str, ...] = SITES,
    faults: str = "",
    motion: RecordedMotion | None = None,
    loop: bool = False,
    waits: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Serve simulated sensors until ``duration_s`` host seconds have passed (None: until Ctrl-C).

    Says one device spec a line through ``say``, ready to be handed to ``--device``. ``device``: a key of
    ``SIMULATED``; ``transport``: one of the device's (None: its usual one). With ``port`` the sensors take that port
    and the following ones, over tcp or udp. Over ``ble`` the first line is the setting of the environment under which
    other programs find the sensors (``DBUS_SYSTEM_BUS_ADDRESS=…``); that needs Linux and dbus-daemon. ``faults``: a
    fault script.
    ``motion``: what was recorded once is measured again, from when all its sensors stream, and serving ends when
    that is over; with ``loop`` it begins again. ``waits``: a simulated person stands still until all sensors stream,
    and begins at once without.
    Raises ValueError for anything that is not offered or not possible here, OSError if a port is taken.
    """
    transport = transport or default_transport(device)
    if port and transport in _WITHOUT_PORTS:
        others = [t for t in find_simulated(device).transports if t not in _WITHOUT_PORTS]
        instead = f", or serve {device} over {' or '.join(others)}" if others else ""
        raise ValueError(f"there are no ports over {transport}: leave the port out{instead}")
    if transport == "ble":
        problem = why_no_message_bus()
        if problem:
            others = [t for t in find_simulated(device).transports if t != "ble"]
            instead = f"serve {device} over {' or '.join(others)}" if others else "serve ximu3 over pty or tcp"
            raise ValueError(f"{problem}; run a live session with --simulate, or {instead}")
    if port + len(sites) - 1 > 65535:
        raise ValueError(f"{len(sites)} sensors need as many ports, and {port} is too near to the last one, 65535")
    if motion is not None and not loop and duration_s is not None and duration_s * speed > motion.duration_s:
        lasts = f"{motion.name} lasts {motion.duration_s / speed:.1f} s, less than {duration_s:g} s"
        raise ValueError(f"{lasts}: ask for a shorter time, or let it loop")
    walking_s = 12 * 3600.0 if duration_s is None else max(duration_s * speed, 30.0)
    config = SimulationConfig(
        # Whoever connects when the first standing is over must find another one, or there are no angles.
        body=BodyConfig(seed=seed, style=style, walking_s=walking_s, stop_every_s=_WALKS_S),
        device=device,
        transport=transport,
        port=port,
        rate_hz=rate_hz,
        sites=sites,
        speed=speed,
        motion=motion,
        loop=loop,
        waits=waits,
    ).with_faults(parse_faults(faults))
    try:
        asyncio.run(_serve(config, duration_s, say))
    except KeyboardInterrupt:
        say("stopped")


async def _serve(config: SimulationConfig, duration_s: float | None, say: Callable[[str], None]) -> None:
    async with AsyncExitStack() as stack:
        hardware = await stack.enter_async_context(simulated_hardware(config))
        if hardware.radio is not None:
            from subtalar_sim.serve.bluez.private import private_bluez

            bluez = await stack.enter_async_context(private_bluez(hardware.radio))
            say(f"DBUS_SYSTEM_BUS_ADDRESS={bluez.address}")
        for spec in hardware.specs:
            say(spec)
        try:
            async with asyncio.timeout(duration_s):
                while not hardware.is_over:
                    await asyncio.sleep(_LOOK_S)
            say("the recorded motion is over")
        except TimeoutError:
            pass
