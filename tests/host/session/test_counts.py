"""Counts in place of doubles: smaller, and never another bit."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from subtalar.session import ArrivedBlock, Recorder, read_items
from subtalar.session.recording.format import messages
from subtalar.session.recording.format.counts import as_counts, from_counts
from subtalar.session.recording.format.schema import message_class
from subtalar.types import BodySite, SampleBlock, SensorInfo

G = 9.80665
STEPS = [16 * G / 2**15, 4 * G / 2**15, np.radians(2000.0) / 2**15, np.radians(250.0) / 2**15]


@given(arrays(np.int16, (7, 3)), st.sampled_from(STEPS))
def test_whatever_a_sensor_of_16_bits_says_comes_back(counts, step):
    values = counts * step
    data = as_counts(values, step)
    assert data is not None
    assert len(data) == counts.nbytes
    assert from_counts(data, step).tobytes() == values.tobytes()


@given(arrays(np.float64, (3, 3)), st.sampled_from([*STEPS, 0.0, np.inf, np.nan, -1.0]))
def test_what_would_not_come_back_is_not_counted(values, step):
    data = as_counts(values, step)
    assert data is None or from_counts(data, step).tobytes() == values.tobytes()


@pytest.mark.parametrize("odd", [np.nan, -0.0, np.inf, STEPS[0] * 2**15, STEPS[0] * 1.000001])
def test_one_odd_value_is_enough(odd):
    values = np.ones((4, 3)) * STEPS[0]
    values[2, 1] = odd
    assert as_counts(values, STEPS[0]) is None


@pytest.mark.parametrize("exact", [True, False])
def test_recorded_either_way_every_bit_comes_back(tmp_path, exact):
    rng = np.random.default_rng(0)
    info = SensorInfo(BodySite.LEFT_FOOT, 200.0, 16 * G, float(np.radians(2000.0)))
    acc = rng.integers(-(2**15), 2**15, (400, 3)) * (16 * G / 2**15)
    gyr = rng.integers(-(2**15), 2**15, (400, 3)) * (np.radians(2000.0) / 2**15)
    if not exact:
        acc[399, 2] = np.nextafter(acc[399, 2], 99.0)
    t = np.arange(400) / 200.0
    path = tmp_path / "a.mcap"
    with Recorder(path, [info], datetime(2026, 5, 14, tzinfo=UTC)) as recorder:
        recorder.write_block(SampleBlock(info.site, t, t + 0.01, acc, gyr))
    (found,) = [item.block for item in read_items(path) if isinstance(item, ArrivedBlock)]
    for name, values in (("device_time_s", t), ("acc_m_s2", acc), ("gyr_rad_s", gyr)):
        assert getattr(found, name).tobytes() == values.tobytes()


@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf])
def test_counts_of_nothing_are_no_numbers(step):
    with pytest.raises(ValueError, match="counts"):
        from_counts(b"\0" * 6, step)


def broken(**changes):
    m = message_class("Samples")(
        site="left_foot",
        block_sequence=[0],
        block_length=[2],
        block_arrival_s=[1.0],
        has_host_time=True,
        host_time_s=[0.9, 1.0],
    )
    sound = {"acc_m_s2_per_count": 0.01, "gyr_rad_s_per_count": 0.001, "acc_counts": bytes(12), "gyr_counts": bytes(12)}
    for name, value in (sound | changes).items():
        setattr(m, name, value)
    return m


def test_only_sound_counts_become_samples():
    assert len(messages.decode_blocks(broken())) == 1
    for change in (
        {"acc_counts": bytes(11)},
        {"gyr_counts": bytes(10)},
        {"gyr_counts": bytes(6)},
        {"acc_counts": bytes(18)},
        {"acc_m_s2_per_count": 0.0},
        {"gyr_rad_s_per_count": np.nan},
        {"gyr_rad_s_per_count": np.inf},
    ):
        with pytest.raises(ValueError, match=r"counts|reshape|accelerations|buffer"):
            messages.decode_blocks(broken(**change))
