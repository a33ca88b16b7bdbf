"""What leaves the estimator is rounded far below what any sensor can tell, and only that."""

import numpy as np
import pytest

from subtalar.estimation.angles.row_angles import (
    ANGLES,
    QUALITY,
    SD,
    TABLE_WIDTH,
    TIME,
    VIEW,
    block_of,
)


def test_angles_come_in_steps_and_times_as_they_are():
    rng = np.random.default_rng(3)
    table = rng.normal(0.0, 20.0, (50, TABLE_WIDTH))
    table[:, QUALITY] = 2.0
    table[7, ANGLES] = np.nan
    block = block_of(table, "left")
    np.testing.assert_array_equal(block.time_s, table[:, TIME])
    assert (block.quality == 2).all()
    columns = [
        (block.angles_deg, ANGLES, 2.0**-16),
        (block.angles_sd_deg, SD, 2.0**-12),
        (block.shank_orientation, VIEW, 2.0**-40),
    ]
    for values, which, step in columns:
        np.testing.assert_allclose(values, table[:, which], rtol=0.0, atol=step / 2)
        known = values[np.isfinite(values)]
        assert (np.mod(known, step) == 0.0).all()


@pytest.mark.parametrize("side", ["left", "right"])
def test_unknown_stays_unknown(side):
    table = np.full((3, TABLE_WIDTH), np.nan)
    table[:, QUALITY] = 0.0
    assert np.isnan(block_of(table, side).angles_sd_deg).all()
