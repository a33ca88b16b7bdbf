from pathlib import Path

import pytest

from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.session_writer import write_session


@pytest.fixture(scope="session")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good sessions at two depths, and three bad ones. Not to be changed."""
    folder = tmp_path_factory.mktemp("batch") / "sé ssions"
    for seed, name in ((4, "walk"), (5, "visit 2/walk")):
        body = BodyConfig(seed=seed)
        sites = ("left_foot", "left_shank")
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        write_session(SimulationConfig(body=body, sites=sites, device="ximu3", rate_hz=100.0), folder / name, 30.0)
    (folder / "empty.mcap").touch()
    (folder / "=1+cmd.mcap").write_bytes(b"no recording")
    (folder / ".hidden.mcap").touch()
    (folder / "broken").mkdir()
    (folder / "broken" / "session.json").write_text("{")
    return folder
