"""The only place of the product that knows the simulator."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from subtalar.cli.missing import missing_package
from subtalar.errors import InputError

FAULT_HELP = "What goes wrong, such as loss=0.02,drop_link@30s+5s, or a file of that; see docs/how-to/faults.md."

if TYPE_CHECKING:
    from subtalar.types import FloatArray, SampleBlock
    from subtalar_sim.motion import RecordedMotion


MOTION_HELP = "Measure again what was recorded in this session, instead of a simulated person."
STYLE = click.Choice(["normal", "overpronated", "antalgic", "running", "standing"])


def simulated(
    seed: int,
    style: str,
    faults: str = "",
    device: str = "witmotion",
    motion: str | None = None,
    loop: bool = False,
) -> Any:
    """Open the simulated hardware with these faults; runs in the acquisition process."""
    try:
        from subtalar_sim.body import BodyConfig
        from subtalar_sim.config import SimulationConfig
        from subtalar_sim.faults import parse_faults
        from subtalar_sim.serve.live import simulated_hardware
    except ImportError as error:
        raise missing_package(error, "sim") from None
    # They stand still until all sensors stream, and then long enough to be seen standing by all.
    body = BodyConfig(seed=seed, style=style, standing_s=6.0, walking_s=12 * 3600.0)
    recorded = None if motion is None else recorded_motion(motion)
    config = SimulationConfig(body=body, device=device, motion=recorded, loop=loop, waits=True)
    return simulated_hardware(config.with_faults(parse_faults(faults)))


def recorded_motion(path: str) -> "RecordedMotion":
    """The motion in a session of any kind; the true angles only of a raw session folder, where they stand beside it.

    Raises InputError, in one sentence, for what cannot be played.
    """
    try:
        from subtalar_sim.motion import Rows, motion_from_rows, read_motion
    except ImportError as error:
        raise missing_package(error, "sim") from None
    import numpy as np

    from subtalar.session import open_session

    def joined(parts: "list[FloatArray | None]") -> "FloatArray | None":
        present = [part for part in parts if part is not None]
        return np.concatenate(present) if len(present) == len(parts) else None

    session = open_session(path, minimum_s=2.0)  # knows best what is wrong with any kind of session
    try:
        if session.kind == "raw_folder":
            return read_motion(session.path)
        blocks: dict[str, list[SampleBlock]] = {site: [] for site in session.sensors}
        for block in session.blocks(60.0):
            blocks[block.site].append(block)
        rows = {
            str(site): Rows(
                joined([b.device_time_s for b in blocks[site]]),
                joined([b.host_time_s for b in blocks[site]]),
                np.concatenate([b.acc_m_s2 for b in blocks[site]]),
                np.concatenate([b.gyr_rad_s for b in blocks[site]]),
                info.rate_hz,
            )
            for site, info in session.sensors.items()
            if blocks[site]
        }
        noted = tuple((a.label, a.start_s, a.end_s) for a in session.annotations)
        return motion_from_rows(session.path.name, rows, annotations=noted)
    except ValueError as error:
        raise InputError(f"The motion cannot be played: {error}.") from None


def check_motion(path: str, faults: str) -> str:
    """The name of the motion in the session ``path``. Raises InputError if it cannot be played so."""
    from subtalar_sim.config import SimulationConfig
    from subtalar_sim.faults import parse_faults

    recorded = recorded_motion(path)
    try:
        SimulationConfig(motion=recorded).with_faults(parse_faults(faults))
    except ValueError as error:
        raise InputError(f"The motion cannot be played: {error}.") from None
    return recorded.name


def fault_text(given: tuple[str, ...], transport: str) -> str:
    """The script that the options ``--fault`` are, each of which is a script itself or the name of a file with one.

    Raises InputError with one sentence for a fault that makes no sense, or none over ``transport``.
    """
    try:
        from subtalar_sim.faults import parse_faults, script_of
    except ImportError as error:
        raise missing_package(error, "sim") from None
    try:
        text = script_of(given)
        script = parse_faults(text)
        for plan in (script.everywhere, *(plan for _, plan in script.of)):
            plan.check_transport(transport)
    except ValueError as error:
        raise InputError(f"The faults cannot be used: {error}.") from None
    return text


def simulated_session(folder: Path, seconds: float) -> Path:
    """A raw session of four simulated sensors at 200 Hz."""
    from subtalar_sim.body import BodyConfig
    from subtalar_sim.config import SimulationConfig
    from subtalar_sim.session_writer import write_session

    return write_session(SimulationConfig(body=BodyConfig(seed=1), device="ximu3"), folder, seconds)
