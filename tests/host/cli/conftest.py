from pathlib import Path

import pytest

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.session_writer import write_session


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw session of the left leg: standing, bends, a short walk. Not to be changed."""
    return left_leg(tmp_path_factory.mktemp("cli") / "walk", 30.0)


@pytest.fixture(scope="session")
def long_walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same person for five minutes: whoever waits for its end in real time has waited too long."""
    return left_leg(tmp_path_factory.mktemp("cli") / "long_walk", 300.0)


def left_leg(folder: Path, seconds: float) -> Path:
    config = SimulationConfig(body=BodyConfig(seed=4), sites=("left_foot", "left_shank"), device="ximu3", rate_hz=100.0)
    return write_session(config, folder, seconds)
