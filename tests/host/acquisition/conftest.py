from pathlib import Path

import pytest

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.session_writer import write_session


@pytest.fixture(scope="session")
def short_walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw session of the right leg: standing, bends, twelve seconds of walking."""
    config = SimulationConfig(
        body=BodyConfig(seed=11), sites=("right_foot", "right_shank"), device="ximu3", rate_hz=100.0
    )
    return write_session(config, tmp_path_factory.mktemp("walk") / "short_walk", 28.0)
