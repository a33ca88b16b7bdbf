"""``angles.csv``."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subtalar.anatomy import FURTHER
from subtalar.report.angles_csv import ANGLE_COLUMNS, AnglesWriter
from subtalar.types import AngleBlock, Quality

from .conftest import NAN, make_angles


def written(folder: Path, *blocks: AngleBlock) -> str:
    with AnglesWriter(folder) as writer:
        for block in blocks:
            writer.append(block)
        writer.assemble(folder / "angles.csv")
    assert sorted(p.name for p in folder.iterdir()) == ["angles.csv"]
    return (folder / "angles.csv").read_text(encoding="ascii")


def cut(block: AngleBlock, at: int) -> tuple[AngleBlock, AngleBlock]:
    def part(rows: slice) -> AngleBlock:
        names = ("time_s", "angles_deg", "angles_sd_deg", "quality", "shank_orientation", "zero_sd_deg")
        return replace(block, **{name: getattr(block, name)[rows] for name in names})

    return part(slice(None, at)), part(slice(at, None))


def test_header_begins_as_the_contract_says_and_goes_on_with_the_further_angles(tmp_path: Path) -> None:
    assert written(tmp_path) == (
        "time_s,side,dorsiflexion_deg,inversion_deg,tibial_rotation_deg,"
        "dorsiflexion_sd_deg,inversion_sd_deg,tibial_rotation_sd_deg,quality,"
        "subtalar_deg,subtalar_sd_deg,foot_pitch_deg,foot_pitch_sd_deg,foot_inversion_deg,foot_inversion_sd_deg,"
        "shank_sagittal_deg,shank_sagittal_sd_deg,shank_frontal_deg,shank_frontal_sd_deg,zero_sd_deg\n"
    )


def test_further_angles_read_back_and_are_empty_where_not_known(tmp_path: Path) -> None:
    block = make_angles("left", 0, 0.5)
    angles = np.random.default_rng(1).normal(0, 20, block.angles_deg.shape)
    angles[:, 6:] = NAN
    further = angles[:, FURTHER]
    sd = np.where(np.isnan(angles), NAN, 0.8)
    rows = list(csv.DictReader(written(tmp_path, replace(block, angles_deg=angles, angles_sd_deg=sd)).splitlines()))
    for k, name in enumerate(("subtalar", "foot_pitch", "foot_inversion")):
        np.testing.assert_allclose([float(row[f"{name}_deg"]) for row in rows], further[:, k], atol=5.01e-4)
        assert {row[f"{name}_sd_deg"] for row in rows} == {"0.800"}
    assert {row["shank_sagittal_deg"] + row["shank_frontal_sd_deg"] for row in rows} == {""}


def test_values_read_back(tmp_path: Path) -> None:
    left, right = make_angles("left", 0, 3), make_angles("right", 1, 2)
    rows = list(csv.DictReader(written(tmp_path, right, left).splitlines()))
    assert [row["side"] for row in rows] == ["left"] * 600 + ["right"] * 200
    for block, part in ((left, rows[:600]), (right, rows[600:])):
        np.testing.assert_allclose([float(row["time_s"]) for row in part], block.time_s, atol=1e-5)
        for k, name in enumerate(("dorsiflexion_deg", "inversion_deg", "tibial_rotation_deg")):
            np.testing.assert_allclose([float(row[name]) for row in part], block.angles_deg[:, k], atol=5.01e-4)
            assert {row[name.replace("_deg", "_sd_deg")] for row in part} == {"0.700"}
    assert {row["quality"] for row in rows} == {"ok"}


def test_unknown_values_are_empty_and_quality_says_why(tmp_path: Path) -> None:
    block = make_angles("left", 0, 0.02)
    angles = block.angles_deg.copy()
    angles[1] = NAN
    quality = np.array([Quality.OK, Quality.NO_DATA, Quality.CLIPPED, Quality.BRIDGED_GAP], np.uint8)
    sd = np.where(np.isnan(angles), NAN, block.angles_sd_deg)
    text = written(tmp_path, replace(block, angles_deg=angles, angles_sd_deg=sd, quality=quality))
    assert text.splitlines()[2] == "0.00500,left,,,,,,,no_data" + 11 * ","
    assert [line.split(",")[8] for line in text.splitlines()[1:]] == ["ok", "no_data", "clipped", "bridged_gap"]
    assert "nan" not in text.lower()


@pytest.mark.parametrize("at", [0, 1, 137, 399])
def test_the_file_does_not_depend_on_how_blocks_were_cut(tmp_path: Path, at: int) -> None:
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    left, right = make_angles("left", 0, 2), make_angles("right", 0, 2)
    a, b = cut(left, at)
    assert written(tmp_path / "cut", a, right, b) == written(tmp_path / "whole", left, right)


def test_long_blocks_are_written_whole(tmp_path: Path) -> None:
    block = make_angles("left", 0, 400)
    lines = written(tmp_path, block).splitlines()
    assert len(lines) == 1 + len(block) == 80_001
    assert lines[-1].startswith("399.99500,left,")


def test_columns_start_as_the_contract_says() -> None:
    assert len(set(ANGLE_COLUMNS)) == 9 + 10 + 1
