from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from subtalar.session import Recorder
from subtalar.session.catalogue import CONFIGURATION_KEY, checked_assignment

Record = Callable[..., Path]


@pytest.fixture
def folder(recordings_folder: Path) -> Path:
    recordings_folder.mkdir(mode=0o700)
    return recordings_folder


@pytest.fixture
def record(make) -> Record:
    """Make a recording of two seconds, with what a live session says of it."""

    def recorded(
        path: Path, participant: str = "", visit: str = "", condition: str = "", *, day: int = 0, closed: bool = True
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        assignment = checked_assignment(participant, visit, condition).as_json()
        start = make.START + timedelta(days=day)
        with Recorder(path, make.sensors(), start, configuration={CONFIGURATION_KEY: assignment}) as recorder:
            for block in make.blocks(2.0):
                recorder.write_block(block)
            recorder.write_estimates(make.estimates())
        if not closed:
            data = path.read_bytes()
            path.write_bytes(data[: len(data) * 3 // 4])
        return path

    return recorded
