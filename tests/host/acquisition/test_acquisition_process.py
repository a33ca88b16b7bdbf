"""The measuring process: replay, stop, markers, and starts that fail."""

import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from subtalar.acquisition.commands import Mark
from subtalar.acquisition.plan import AcquisitionPlan, DeviceSource, ProvidedSource, ReplaySource
from subtalar.acquisition.process import Acquisition, start_acquisition
from subtalar.acquisition.ring import RingReader
from subtalar.cli.simulation import simulated
from subtalar.estimation import GaitEstimator
from subtalar.session import Annotation, open_session, read_items
from subtalar.transport import parse_spec
from subtalar.types import AngleBlock, Stride

PATIENCE_S = 240.0
"""A busy machine is slow, and only a defect takes this long."""


def ended(acquisition: Acquisition) -> str:
    with RingReader.attach(acquisition.ring_name) as reader:
        deadline = time.monotonic() + PATIENCE_S
        while reader.session().state != "ended" and time.monotonic() < deadline:
            time.sleep(0.05)
        return reader.session().state


def test_a_recorded_replay_holds_the_angles_that_an_analysis_gives_bit_for_bit(
    short_walk: Path, tmp_path: Path
) -> None:
    recording = tmp_path / "again.mcap"
    acquisition = start_acquisition(
        AcquisitionPlan(ReplaySource(short_walk, speed=0), "replay of short_walk", record_path=recording)
    )
    assert ended(acquisition) == "ended"
    outcome = acquisition.close()
    assert (outcome.error, outcome.recording_error) == ("", "")

    session = open_session(short_walk)
    gait = GaitEstimator(session.sensors)
    estimates = [gait.push(block) for block in session.blocks(3.7)]
    estimates.append(gait.finish())
    expected = np.concatenate([a.angles_deg for e in estimates for a in e.angles])
    strides = [s for e in estimates for s in e.strides]

    items = list(read_items(recording))
    recorded = np.concatenate([i.angles_deg for i in items if isinstance(i, AngleBlock)])
    assert np.array_equal(recorded, expected, equal_nan=True)
    assert np.isfinite(expected).all(axis=1).sum() > 500
    # repr, because nan is not equal to itself
    assert [repr(i) for i in items if isinstance(i, Stride)] == [repr(s) for s in strides]
    assert outcome.strides == len(strides) >= 8


def test_simulated_bluetooth_sensors_are_recorded_without_loss_and_marked(tmp_path: Path) -> None:
    recording = tmp_path / "live.mcap"
    plan = AcquisitionPlan(ProvidedSource(partial(simulated, 0, "normal")), "simulated sensors", recording)
    acquisition = start_acquisition(plan)
    with RingReader.attach(acquisition.ring_name) as reader:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and min((s.ledger.received for s in reader.sensors()), default=0) < 400:
            time.sleep(0.1)
        sensors = reader.sensors()
        acquisition.send(Mark("insole in"))
    outcome = acquisition.close()
    assert outcome.error == ""
    assert len(sensors) == 4
    assert all(s.ledger.received >= 400 and s.ledger.lost == 0 for s in sensors)
    session = open_session(recording, minimum_s=0)
    assert session.closed
    assert session.sample_count >= 4 * 400
    assert [i.label for i in read_items(recording) if isinstance(i, Annotation)] == ["insole in"]


def test_a_sensor_that_cannot_be_reached_ends_the_session_with_one_sentence_and_no_recording(tmp_path: Path) -> None:
    recording = tmp_path / "none.mcap"
    specs = (parse_spec("right_foot=serial:/dev/tty-not-there"),)
    acquisition = start_acquisition(AcquisitionPlan(DeviceSource(specs), "1 sensor", recording))
    assert ended(acquisition) == "ended"
    outcome = acquisition.close()
    assert "/dev/tty-not-there" in outcome.error
    assert "\n" not in outcome.error
    assert not recording.exists()


def test_an_existing_file_is_not_recorded_over(short_walk: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious.mcap"
    precious.write_bytes(b"of value")
    acquisition = start_acquisition(AcquisitionPlan(ReplaySource(short_walk, speed=0), "replay", record_path=precious))
    outcome = acquisition.close()
    assert "precious.mcap" in outcome.error
    assert precious.read_bytes() == b"of value"


@pytest.mark.parametrize("speed", [0.02, 0.0])
def test_a_replay_ends_when_it_is_stopped(short_walk: Path, speed: float) -> None:
    """The slow one would last for half an hour: were it not to end when asked, ``close`` would kill it and say so."""
    acquisition = start_acquisition(AcquisitionPlan(ReplaySource(short_walk, speed), "replay"))
    assert acquisition.close().error == ""
