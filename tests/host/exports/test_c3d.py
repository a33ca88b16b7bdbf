"""C3D, read back with ezc3d; C3D holds 32-bit floats."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtalar.types import BodySite

from .conftest import FORMULA, Case

ezc3d = pytest.importorskip("ezc3d", reason="writes and reads C3D")

RATE_HZ = 100.0


def parts(case: Case, out: Path) -> list[Any]:
    files = case.export("c3d", out)
    assert sorted(files) == [f"{k:02d}.c3d" for k in range(1, len(files) + 1)]
    return [ezc3d.c3d(str(files[name])) for name in sorted(files)]


@pytest.fixture(scope="module")
def part(lossy: Case, tmp_path_factory: pytest.TempPathFactory) -> Any:
    (only,) = parts(lossy, tmp_path_factory.mktemp("c3d"))
    return only


def value(part: Any, group: str, name: str) -> Any:
    return part["parameters"][group][name]["value"]


def grid_s(part: Any) -> np.ndarray:
    return value(part, "SUBTALAR", "FIRST_FRAME_S")[0] + np.arange(part["data"]["points"].shape[2]) / RATE_HZ


def channel(part: Any, name: str) -> np.ndarray:
    return np.asarray(part["data"]["analogs"][0, value(part, "ANALOG", "LABELS").index(name)])


def neighbours_in(track_s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Whether each instant lies between two samples that are no gap apart."""
    after = np.searchsorted(track_s, t)
    inside = (after > 0) & (after < len(track_s))
    step = track_s[np.minimum(after, len(track_s) - 1)] - track_s[np.maximum(after - 1, 0)]
    return inside & (step < 1.5 / RATE_HZ)


@pytest.mark.parametrize("side", ["left", "right"])
def test_angles_lie_between_their_neighbours_and_nowhere_in_gaps(part: Any, lossy: Case, side: Any) -> None:
    track, t = lossy.outcome.tracks[side], grid_s(part)
    for ending, own in (("", track.ankle_deg), ("_SD", track.ankle_sd_deg)):
        label = f"{side[0].upper()}AnkleISB{ending}"
        assert label in value(part, "POINT", "ANGLES")
        k = value(part, "POINT", "LABELS").index(label)
        told, residual = part["data"]["points"][:3, k].T, part["data"]["meta_points"]["residuals"][0, k]
        inside = neighbours_in(track.time_s, t)
        expected = np.column_stack([np.interp(t, track.time_s, own[:, c]) for c in range(3)])
        expected[~inside] = np.nan
        known = np.isfinite(told).all(axis=1)
        # Where a frame falls on a sample that begins a gap, to a millionth of a second, either is right.
        assert (known != np.isfinite(expected).all(axis=1)).sum() <= 3
        both = known & np.isfinite(expected).all(axis=1)
        assert both.sum() > 500
        assert (~known).sum() > 100
        np.testing.assert_allclose(told[both], expected[both], atol=2e-3)
        np.testing.assert_array_equal(residual, np.where(known, 0.0, -1.0))
    assert value(part, "POINT", "UNITS") == ["deg"]
    assert "+" not in label


def test_samples_are_measured_ones_and_say_when(part: Any, lossy: Case) -> None:
    t = grid_s(part)
    for site, name in ((BodySite.LEFT_FOOT, "LFoot"), (BodySite.RIGHT_FOOT, "RFoot")):
        block, time_s = lossy.samples[site], lossy.time_of(site)
        late_s = channel(part, f"{name}.Time") / 1000.0
        known = np.isfinite(late_s)
        assert np.abs(late_s[known]).max() <= 0.0052
        index = np.abs(time_s[None] - (t + late_s)[known][:, None]).argmin(axis=1)
        np.testing.assert_allclose(time_s[index], (t + late_s)[known], atol=1e-6)
        for k, axis in enumerate("XYZ"):
            told = channel(part, f"{name}.Acc{axis}")
            np.testing.assert_array_equal(told[known], block.acc_m_s2[index, k].astype(np.float32))
            assert np.isnan(told[~known]).all()
            np.testing.assert_array_equal(
                channel(part, f"{name}.Gyr{axis}")[known], block.gyr_rad_s[index, k].astype(np.float32)
            )
        lost = 1.0 - len(time_s) / (RATE_HZ * (time_s[-1] - time_s[0]))
        assert 0.3 * lost < (~known).mean() < 2.0 * lost
    units = dict(zip(value(part, "ANALOG", "LABELS"), value(part, "ANALOG", "UNITS"), strict=True))
    assert (units["LFoot.AccX"], units["LFoot.GyrX"], units["R.foot_pitch"]) == ("m/s2", "rad/s", "deg")


def test_events_as_other_programs_read_them(part: Any, lossy: Case) -> None:
    labels, contexts = value(part, "EVENT", "LABELS"), value(part, "EVENT", "CONTEXTS")
    minutes, seconds = value(part, "EVENT", "TIMES")
    t = 60.0 * minutes + seconds + grid_s(part)[0]
    for kind, label in (("initial_contact", "Foot Strike"), ("foot_off", "Foot Off")):
        for side in ("left", "right"):
            own = sorted(e.time_s for e in lossy.outcome.events if e.kind == kind and e.side == side)
            told = [x for x, n, c in zip(t, labels, contexts, strict=True) if (n, c) == (label, side.capitalize())]
            assert len(own) > 5
            np.testing.assert_allclose(told, own, atol=1e-5)
    assert value(part, "EVENT", "USED")[0] == len(labels) <= 255
    assert part["parameters"]["EVENT"]["USED"]["type"] == 2
    general = {n for n, c in zip(labels, contexts, strict=True) if c == "General"}
    assert general == {"standing", "knee_bends", "walking", FORMULA, 'a gauche, "vite"'}


def test_a_long_or_eventful_session_becomes_parts(lossy: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = parts(lossy, tmp_path / "whole")
    monkeypatch.setattr("subtalar.exports.c3d.MOST_EVENTS", 20)
    monkeypatch.setattr("subtalar.exports.c3d.PART_S", 12.0)
    cut = parts(lossy, tmp_path / "cut")
    assert len(cut) > 3
    points = np.concatenate([p["data"]["points"] for p in cut], axis=2)
    np.testing.assert_array_equal(points, whole["data"]["points"])
    np.testing.assert_array_equal(np.concatenate([p["data"]["analogs"] for p in cut], axis=2), whole["data"]["analogs"])
    used = [int(value(p, "EVENT", "USED")[0]) for p in cut]
    assert max(used) <= 20
    assert sum(used) == value(whole, "EVENT", "USED")[0]
    begins = np.array([value(p, "SUBTALAR", "FIRST_FRAME_S")[0] for p in cut])
    frames = np.array([p["data"]["points"].shape[2] for p in cut])
    np.testing.assert_allclose(np.diff(begins), frames[:-1] / RATE_HZ, atol=1e-5)


def test_one_leg(one_leg: Case, tmp_path: Path) -> None:
    (part,) = parts(one_leg, tmp_path)
    assert value(part, "POINT", "LABELS") == ["RAnkleISB", "RAnkleISB_SD"]
    assert np.isfinite(channel(part, "L.foot_pitch")).any()
    assert np.isnan(channel(part, "L.shank_frontal")).all()
