"""The shared recordings where they are at hand, and walks whose truth is known because it was written down here."""

from pathlib import Path

import pytest

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.session_writer import write_session

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not (SHARED / "data").is_dir():
        pytest.skip("the shared data folder beside the project is not here")
    return SHARED / "data"


@pytest.fixture(scope="session")
def trial_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated truth trial of one leg, in a folder of trials."""
    config = SimulationConfig(body=BodyConfig(seed=5), sites=("right_foot", "right_shank"), rate_hz=100.0)
    return write_session(config, tmp_path_factory.mktemp("trials") / "short_walk", 45.0)
