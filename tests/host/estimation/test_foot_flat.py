"""Where a foot is at rest, and where it only turns slowly."""

import numpy as np
import pytest

from subtalar.conventions import GRAVITY_M_S2
from subtalar.estimation.numerics.records import Records
from subtalar.estimation.parameters import FootFlatParameters
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.stance.foot_flat import FootFlat, FootFlatDetector

RATE_HZ = 200.0
STRIDES = 12
PHASES = ("swing", "slow", "swing", "flat")
LENGTH_S = {"swing": 0.2, "slow": 0.2, "flat": 0.2}
STRIDE_S = 0.8


def steps(force_while_slow_m_s2: float) -> Records:
    """Strides with a second time in mid-swing at which the foot hardly turns, 20°/s, under this specific force."""
    one = []
    for phase in PHASES:
        n = round(LENGTH_S[phase] * RATE_HZ)
        rows = np.zeros(n, SENSOR_ROW)
        rows["gyr_rad_s"][:, 0] = 12.0 * np.sin(np.pi * (np.arange(n) + 0.5) / n) if phase == "swing" else 0.35
        rows["acc_m_s2"][:, 2] = {"swing": 2.0, "slow": force_while_slow_m_s2, "flat": GRAVITY_M_S2}[phase]
        one.append(rows)
    return np.tile(np.concatenate(one), STRIDES)


def ended(rows: Records) -> list[FootFlat]:
    detector = FootFlatDetector(FootFlatParameters(), RATE_HZ)
    found = []
    for k in range(0, len(rows), 7):
        detector.push(rows[k : k + 7])
        while (flat := detector.next_before(detector.power.end)) is not None:
            found.append(flat)
    return [flat for flat in found if flat.ended]


@pytest.mark.parametrize("force_m_s2", [0.5, 25.0])
def test_a_foot_that_turns_slowly_in_the_air_is_not_at_rest(force_m_s2: float) -> None:
    """A runner's, as high as it comes: weightless, or swung forward."""
    found = ended(steps(force_m_s2))
    assert len(found) >= STRIDES - 2
    for flat in found:
        assert flat.first / RATE_HZ % STRIDE_S > 0.6
    assert np.diff([flat.first for flat in found]).max() == round(STRIDE_S * RATE_HZ)


def test_a_foot_that_bears_its_weight_twice_rests_twice() -> None:
    found = ended(steps(GRAVITY_M_S2))
    assert len(found) >= 2 * STRIDES - 3


def test_where_a_rest_on_the_ground_was_missed_the_next_one_says_so() -> None:
    """As of a fast runner, whose stance is too short or too lively now and then: two strides are not one."""
    rows = steps(0.5)
    n = round(STRIDE_S * RATE_HZ)
    missed = slice(6 * n + round(0.6 * RATE_HZ), 7 * n)
    rows["acc_m_s2"][missed, 2] = 40.0
    found = ended(rows)
    gaps = np.diff([flat.first for flat in found])
    assert (gaps == 2 * n).sum() == 1
    assert [flat.is_next for flat in found[1:]] == (gaps < 1.5 * n).tolist()
