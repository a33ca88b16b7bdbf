"""The only place of the product that knows the simulator."""

from pathlib import Path
from typing import Any

from subtalar.cli.missing import missing_package


def simulated(seed: int, style: str) -> Any:
    """Open the simulated hardware; runs in the acquisition process."""
    try:
        from subtalar_sim.body import BodyConfig
        from subtalar_sim.config import SimulationConfig
        from subtalar_sim.serve.live import simulated_hardware
    except ImportError as error:
        raise missing_package(error, "sim") from None
    body = BodyConfig(seed=seed, style=style, walking_s=12 * 3600.0)
    return simulated_hardware(SimulationConfig(body=body))


def simulated_session(folder: Path, seconds: float) -> Path:
    """A raw session of four simulated sensors at 200 Hz."""
    from subtalar_sim.body import BodyConfig
    from subtalar_sim.config import SimulationConfig
    from subtalar_sim.session_writer import write_session

    return write_session(SimulationConfig(body=BodyConfig(seed=1), device="ximu3"), folder, seconds)
