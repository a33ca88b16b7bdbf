"""What version 1 of the format wrote (samples as doubles) is read for ever; see tests/vectors/README.md."""

from pathlib import Path

import numpy as np
import pytest

from subtalar.session import Annotation, RawChunk, read_blocks, read_header, read_items, verify
from subtalar.session.interleave import join
from subtalar.session.recording.edit.trim import trim

RECORDED = Path(__file__).parents[2] / "vectors" / "recording_version_1.mcap"
K = np.arange(300)
ACC_M_S2 = np.stack([K * 7 - 900, K * K % 4096 - 2048, 2048 - K], axis=1) * (16 * 9.80665 / 2**15)
GYR_RAD_S = np.stack([K * 3 - 400, 900 - K * 5, K % 7], axis=1) * (np.radians(2000.0) / 2**15)


def assert_rows(path: Path, rows: slice) -> None:
    """Rows of what the sensor said, to the last bit."""
    block = join([arrived.block for arrived in read_blocks(path)])
    np.testing.assert_array_equal(block.device_time_s, K[rows] / 50.0)
    np.testing.assert_array_equal(block.host_time_s, K[rows] / 50.0 + 0.02)
    np.testing.assert_array_equal(block.acc_m_s2, ACC_M_S2[rows])
    np.testing.assert_array_equal(block.gyr_rad_s, GYR_RAD_S[rows])


def test_every_sample_chunk_and_marker_is_there() -> None:
    assert verify(RECORDED).status == "ok"
    assert [str(site) for site in read_header(RECORDED).sensors] == ["left_foot"]
    assert_rows(RECORDED, slice(0, 300))
    items = list(read_items(RECORDED))
    chunks = [item for item in items if isinstance(item, RawChunk)]
    assert [c.data for c in chunks] == [bytes(range(i % 200, i % 200 + 20)) for i in range(0, 300, 10)]
    assert [item for item in items if isinstance(item, Annotation)] == [Annotation("Treppe", 1.0, 2.5)]


def test_a_cut_of_it_is_of_today_and_holds_the_same_bits(tmp_path: Path) -> None:
    out = tmp_path / "cut.mcap"
    assert trim(RECORDED, out, from_s=2.02, to_s=4.02).status == "ok"
    assert_rows(out, slice(100, 200))


@pytest.mark.parametrize("name", ["acc_m_s2", "gyr_rad_s"])
def test_the_expected_rows_differ_from_each_other(name: str) -> None:
    """Otherwise a mixed-up order would pass."""
    assert len(np.unique({"acc_m_s2": ACC_M_S2, "gyr_rad_s": GYR_RAD_S}[name], axis=0)) == 300
