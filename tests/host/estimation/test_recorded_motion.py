"""A recorded walk, measured again by a simulated board with another rate and clock, has the angles of the recording."""

from pathlib import Path

import numpy as np
import pytest

from subtalar.estimation import GaitEstimator
from subtalar.protocol import InertialSamples, create_protocol
from subtalar.session import open_session
from subtalar.types import AngleBlock, BodySite, SampleBlock, SensorInfo
from subtalar_bench.codec_dialogue import CodecDialogue
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.motion import read_motion
from subtalar_sim.serve.live import make_firmware
from subtalar_sim.session_writer import write_session

SITES = ("right_foot", "right_shank")
SECONDS = 45.0
WITHIN_DEG = 0.35
"""What another rate, 16 bits, half a sample of the arrival time and another clock may cost, root mean square."""


def angles(blocks: list[SampleBlock], rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    estimator = GaitEstimator({BodySite(site): SensorInfo(BodySite(site), rate_hz) for site in SITES})
    found: list[AngleBlock] = []
    for block in blocks:
        found += estimator.push(block).angles
    found += estimator.finish().angles
    right = [block for block in found if block.side == "right"]
    time_s, deg = (np.concatenate([getattr(b, name) for b in right]) for name in ("time_s", "ankle_deg"))
    known = np.isfinite(deg).all(axis=1)
    return time_s[known], deg[known]


def measured_again(config: SimulationConfig) -> list[SampleBlock]:
    """The production codec's samples of both sensors, as they arrive, in order of arrival."""
    body = config.make_mover()
    rows: list[tuple[float, SampleBlock]] = []
    for number, site in enumerate(SITES):
        protocol = create_protocol(config.device, config.rate_hz)
        dialogue = CodecDialogue(protocol, make_firmware(config, body, site, number, "ble"))
        dialogue.run(protocol.configure())
        while dialogue.now_s < SECONDS:
            for event in dialogue.pass_time(0.02):
                if isinstance(event, InertialSamples):
                    device = None if event.device_time_us is None else event.device_time_us * 1e-6
                    host = np.full(len(event), dialogue.now_s)
                    block = SampleBlock(BodySite(site), device, host, event.acc_m_s2, event.gyr_rad_s)
                    rows.append((dialogue.now_s, block))
    return [block for _, block in sorted(rows, key=lambda row: row[0])]


@pytest.mark.slow
@pytest.mark.parametrize(("device", "rate_hz"), [("talus", 200.0), ("witmotion", 200.0)])
def test_angles_of_the_recording_and_of_its_repetition_agree(tmp_path: Path, device: str, rate_hz: float) -> None:
    recorded = SimulationConfig(body=BodyConfig(seed=9), sites=SITES, device="ximu3", rate_hz=100.0)
    folder = write_session(recorded, tmp_path / "walk", SECONDS)
    direct_s, direct = angles(list(open_session(folder).blocks(0.5)), 100.0)
    again = SimulationConfig(body=BodyConfig(seed=2), device=device, rate_hz=rate_hz, motion=read_motion(folder))
    again_s, repeated = angles(measured_again(again), rate_hz)
    at = np.arange(24.0, 42.0, 0.01)
    assert np.ptp(direct[:, 0]) > 15.0
    apart = []
    for lag in np.arange(-0.06, 0.06, 0.002):  # the delay of the one and of the other
        a, b = (
            np.column_stack([np.interp(at + shift, t, deg[:, i]) for i in range(3)])
            for t, deg, shift in ((direct_s, direct, 0.0), (again_s, repeated, lag))
        )
        apart.append(np.sqrt(np.mean((a - b) ** 2, axis=0)))
    best = min(apart, key=lambda rms: float(rms.sum()))
    assert (best < WITHIN_DEG).all(), best
