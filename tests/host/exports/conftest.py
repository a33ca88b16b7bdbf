"""Sessions with everything that goes wrong in them, and what the estimator says of them."""

import csv
import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from subtalar.exports.content import Options
from subtalar.exports.session_export import export_session
from subtalar.session import Session, open_session
from subtalar.session.estimates import SessionEstimates, estimate_live
from subtalar.session.interleave import by_site
from subtalar.types import BodySite, SampleBlock
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.faults import parse_faults
from subtalar_sim.session_writer import write_session

FORMULA = "=cmd|' /C calc'!A0"


@dataclass(frozen=True)
class Case:
    """A session, the estimator's own output for it, and all samples of each sensor."""

    session: Session
    outcome: SessionEstimates
    samples: dict[BodySite, SampleBlock]

    def export(self, format_name: str, out: Path, **options: object) -> dict[str, Path]:
        """The files by what follows the session's name in theirs."""
        files = export_session(self.session, format_name, out, Options(**options))  # type: ignore[arg-type]
        return {file.name.removeprefix(self.session.path.name).lstrip("_"): file for file in files}

    def time_of(self, site: BodySite) -> np.ndarray:
        """Session times of a foot's samples: those of its side's angles."""
        return self.outcome.tracks[site.side].time_s


def case_of(folder: Path) -> Case:
    session = open_session(folder)
    return Case(session, estimate_live(session.sensors, session.blocks()), by_site(session.blocks()))


def simulate(folder: Path, faults: str = "loss=0.03", sites: tuple[str, ...] = ()) -> Path:
    config = SimulationConfig(body=BodyConfig(seed=3), device="ximu3", rate_hz=100.0)
    if sites:
        config = SimulationConfig(body=BodyConfig(seed=3), device="ximu3", rate_hz=100.0, sites=sites)
    write_session(config.with_faults(parse_faults(faults)), folder, 30.0)
    told = json.loads((folder / "session.json").read_text())
    told["start_utc"] = "2026-03-04T09:30:00.250000+00:00"
    told["annotations"].append({"label": FORMULA, "start_s": 15.0, "end_s": 15.5})
    told["annotations"].append({"label": 'à gauche,\t"vite"\n', "start_s": 16.0, "end_s": 18.5})
    (folder / "session.json").write_text(json.dumps(told))
    return folder


def without_device_time(file: Path) -> None:
    with gzip.open(file, "rt", newline="") as source:
        rows = list(csv.reader(source))
    drop = rows[0].index("device_time_s")
    with gzip.open(file, "wt", newline="") as sink:
        csv.writer(sink).writerows([*row[:drop], *row[drop + 1 :]] for row in rows)


@pytest.fixture(scope="session")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Both legs, 3 % lost in gaps, one sensor without a clock; a path with spaces and accents."""
    folder = simulate(tmp_path_factory.mktemp("séances d'été") / "marche n° 1")
    without_device_time(folder / "left_shank.csv.gz")
    return case_of(folder)


@pytest.fixture(scope="session")
def one_leg(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The right leg, and the left foot alone."""
    sites = ("right_foot", "right_shank", "left_foot")
    return case_of(simulate(tmp_path_factory.mktemp("one") / "walk", "loss=0.01", sites))


def gap_count(time_s: np.ndarray, rate_hz: float) -> int:
    """How many samples are missing between these."""
    steps = np.diff(time_s)
    return int(np.sum(np.rint(steps[steps > 1.5 / rate_hz] * rate_hz) - 1))


def measured(time_s: np.ndarray, track_s: np.ndarray) -> np.ndarray:
    """Which of the times (n,) are among the track's, all of which must be there."""
    found = np.isin(time_s, track_s)
    assert found.sum() == len(track_s)
    return found


def files_in(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(p.relative_to(folder)): (os.stat(p).st_mtime_ns, p.read_bytes())
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }
