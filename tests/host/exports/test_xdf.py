"""XDF, read back with pyxdf."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtalar.anatomy import angle_index
from subtalar.types import BodySite

from .conftest import FORMULA, Case, gap_count, measured

pyxdf = pytest.importorskip("pyxdf", reason="reads the XDF files back")


def load(path: Path, **options: Any) -> dict[str, Any]:
    streams, header = pyxdf.load_xdf(str(path), **options)
    assert header["info"]["version"] == ["1.0"]
    return {s["info"]["name"][0]: s for s in streams}


def exactly(path: Path) -> dict[str, Any]:
    return load(path, dejitter_timestamps=False, synchronize_clocks=True)


@pytest.fixture
def streams(lossy: Case, tmp_path: Path) -> dict[str, Any]:
    return exactly(lossy.export("xdf", tmp_path)[".xdf"])


def channels(stream: Any) -> list[dict[str, str]]:
    told = stream["info"]["desc"][0]["channels"][0]["channel"]
    return [{key: (value[0] or "") for key, value in channel.items()} for channel in told]


def test_samples_stand_at_their_session_times_and_lost_ones_are_nan(streams: dict[str, Any], lossy: Case) -> None:
    for site in (BodySite.LEFT_FOOT, BodySite.RIGHT_FOOT):
        stream, block, time_s = streams[site.value], lossy.samples[site], lossy.time_of(site)
        assert [c["label"] for c in channels(stream)][:3] == ["device_time_s", "host_time_s", "acc_x_m_s2"]
        assert [c["unit"] for c in channels(stream)] == ["s", "s", *["m/s^2"] * 3, *["rad/s"] * 3]
        own = measured(stream["time_stamps"], time_s)
        assert block.device_time_s is not None
        assert block.host_time_s is not None
        rows = np.column_stack((block.device_time_s, block.host_time_s, block.acc_m_s2, block.gyr_rad_s))
        np.testing.assert_array_equal(stream["time_series"][own], rows)
        assert np.isnan(stream["time_series"][~own]).all()
        assert (~own).sum() == gap_count(time_s, 100.0) > 20
        assert (np.diff(stream["time_stamps"]) > 0).all()
    unclocked = streams["left_shank"]["time_series"]
    assert np.isnan(unclocked[:, 0]).all()
    present = np.isfinite(unclocked[:, 2])
    np.testing.assert_array_equal(unclocked[present, 2:5], lossy.samples[BodySite.LEFT_SHANK].acc_m_s2)


def test_angles_are_the_estimators(streams: dict[str, Any], lossy: Case) -> None:
    for side, track in lossy.outcome.tracks.items():
        stream = streams[f"{side}_ankle"]
        own = measured(stream["time_stamps"], track.time_s)
        names = [c["label"] for c in channels(stream)]
        rows = stream["time_series"][own]
        np.testing.assert_array_equal(rows[:, :3], track.ankle_deg)
        np.testing.assert_array_equal(rows[:, 3:6], track.ankle_sd_deg)
        np.testing.assert_array_equal(
            rows[:, names.index("foot_pitch_sd_deg")], track.angles_sd_deg[:, angle_index("foot_pitch")]
        )
        np.testing.assert_array_equal(rows[:, names.index("shank_qw") :][:, :4], track.shank_orientation)
        np.testing.assert_array_equal(rows[:, names.index("quality")], track.quality)
        assert channels(stream)[1]["positive"] == "sole to the midline"


def test_markers_and_strides(streams: dict[str, Any], lossy: Case) -> None:
    markers = streams["events"]
    told = [(float(t), text[0]) for t, text in zip(markers["time_stamps"], markers["time_series"], strict=True)]
    contacts = sorted(e.time_s for e in lossy.outcome.events if e.kind == "initial_contact" and e.side == "left")
    assert [t for t, text in told if text == "initial_contact:left"] == contacts
    assert (15.0, f"marker:{FORMULA}") in told
    assert (16.0, 'marker:à gauche,\t"vite"\n') in told
    assert (18.5, 'marker_end:à gauche,\t"vite"\n') in told
    for side in ("left", "right"):
        own = [s for s in lossy.outcome.strides if s.side == side]
        stream = streams[f"{side}_strides"]
        column = [c["label"] for c in channels(stream)].index("stride_length_m")
        np.testing.assert_array_equal(stream["time_series"][:, column], [s.stride_length_m for s in own])
        np.testing.assert_array_equal(stream["time_stamps"], [s.initial_contact_s for s in own])


def test_a_reader_that_smooths_time_stamps_moves_them_little(lossy: Case, tmp_path: Path) -> None:
    """pyxdf does so unless told otherwise; without rows for lost samples it would be off by tenths of a second."""
    path = lossy.export("xdf", tmp_path)[".xdf"]
    plain, smooth = exactly(path), load(path)
    for name in ("left_foot", "right_foot", "right_ankle"):
        assert np.abs(plain[name]["time_stamps"] - smooth[name]["time_stamps"]).max() < 0.002


def test_one_leg(one_leg: Case, tmp_path: Path) -> None:
    streams = exactly(one_leg.export("xdf", tmp_path)[".xdf"])
    assert "left_shank" not in streams
    left = streams["left_ankle"]["time_series"]
    assert np.isnan(left[:, :3]).all()
    assert np.isfinite(left).any()
