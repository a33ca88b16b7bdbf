"""Every simulated device that tells its charge tells it falling, by the codec's own question, until it is empty."""

import numpy as np
import pytest

from subtalar.protocol import BatteryLevel, create_protocol
from subtalar_bench.codec_dialogue import CodecDialogue
from subtalar_sim.clock import SensorClock
from subtalar_sim.faults import NO_FAULTS, GapDrawer
from subtalar_sim.firmware.base import Unit
from subtalar_sim.firmware.registry import SIMULATED
from subtalar_sim.serve.trial import TimeTeller

TELLING = [name for name in SIMULATED if name != "witmotion-serial"]  # of its battery no source knows
EMPTY_S = 4000.0


def told(device: str, times_s: list[float], empty_s: float) -> list[float]:
    """Per cent at these times, each asked for or, where it tells by itself, waited for."""
    known = SIMULATED[device]
    rate_hz = min(known.rates_hz, key=lambda rate: abs(rate - 60.0))
    out = []
    for at_s in times_s:
        gaps = GapDrawer(NO_FAULTS, rate_hz, 0, "right_foot")
        unit = Unit(
            *(TimeTeller(), SensorClock(), gaps, rate_hz),
            interface=known.transports[0],
            start_s=at_s,
            empty_s=empty_s,
        )
        dialogue = CodecDialogue(create_protocol(device, rate_hz), known.make(unit), at_s)
        dialogue.run(dialogue.protocol.configure())
        dialogue.run(dialogue.protocol.poll_battery())
        dialogue.pass_time(1.5)
        levels = [event.percent for event in dialogue.events if isinstance(event, BatteryLevel)]
        assert levels
        out.append(levels[-1])
    return out


@pytest.mark.parametrize("device", TELLING)
def test_the_charge_falls_in_the_hours_and_to_nothing_at_the_end(device: str) -> None:
    plain = told(device, [1.0, 3800.0], float("inf"))
    assert plain[0] > 70.0
    assert 40.0 < plain[1] < plain[0]
    dying = told(device, [EMPTY_S - 200.0, EMPTY_S - 60.0, EMPTY_S - 4.0], EMPTY_S)
    assert dying[0] > 40.0
    assert np.all(np.diff(dying) < 0.0)
    assert dying[-1] < 10.0
