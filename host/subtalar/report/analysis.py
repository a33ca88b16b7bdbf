"""From a session to its tables and its page, in one pass; with bounded memory unless the pass looks ahead."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from subtalar.errors import InputError
from subtalar.report.angles_csv import AnglesWriter
from subtalar.report.coverage import CoverageCounter, NoticeTallies, RateCounter
from subtalar.report.refusal import refuse_if_nothing_was_measured
from subtalar.report.results import AnalysisResult, Gait, Pass, SensorFacts, SideResult, choose_strides, main_gait
from subtalar.report.tables import write_strides, write_summary
from subtalar.report.waveforms import FURTHER_GROUPS, FurtherGroup, WaveformCollector
from subtalar.session.model import Session
from subtalar.session.recording.durable_file import locked
from subtalar.types import SIDES, BodySite, Estimates, Ledger, SampleBlock, Segment, SensorInfo, Side, Stride

if TYPE_CHECKING:
    from subtalar.estimation.parameters import SubtalarAxis

ANGLES_FILE: Final = "angles.csv"
STRIDES_FILE: Final = "strides.csv"
SUMMARY_FILE: Final = "summary.json"
REPORT_FILE: Final = "report.html"
OUTPUT_FILES: Final = (ANGLES_FILE, STRIDES_FILE, SUMMARY_FILE, REPORT_FILE)

_UNFINISHED = ".subtalar-unfinished"
_LOCK = ".subtalar-unfinished.lock"
_BLOCK_S = 5.0

Progress = Callable[[float, float], None]
"""Called with the seconds done and the seconds of the whole session."""


class Estimator(Protocol):
    """A streaming estimator, such as ``subtalar.estimation.GaitEstimator``."""

    def push(self, block: SampleBlock) -> Estimates:
        """What one block brought to light."""
        ...

    def finish(self) -> Estimates:
        """What was still held back."""
        ...


EstimatorFactory = Callable[[Mapping[BodySite, SensorInfo]], Estimator]


def analyze(
    session: Session,
    out_dir: Path,
    *,
    progress: Progress | None = None,
    estimator_factory: EstimatorFactory | None = None,
    subtalar_axis_deg: tuple[float, float] | None = None,
    smooth: bool = False,
) -> AnalysisResult:
    """Run the estimator over a session and write ``angles.csv``, ``strides.csv``, ``summary.json``, ``report.html``.

    The four files appear in ``out_dir`` together, at the end; until then everything is in a hidden folder inside it,
    which is removed whatever happens. Files of an earlier analysis are replaced, others are left alone.
    ``subtalar_axis_deg`` is inclination and deviation of the subtalar axis; None: the mean one. ``smooth``: angles that
    look ahead over the whole recording, which is then held in memory; the files say so.
    Raises InputError, in one sentence, when the folder cannot be used, when a result would take the place of a file
    of the session, or when nothing could be measured.
    """
    page = _page_writer()
    axis = _subtalar_axis(subtalar_axis_deg)
    make = _smoothing_estimator if smooth else _gait_estimator
    estimator = estimator_factory(session.sensors) if estimator_factory else make(session.sensors, axis)
    _keep_the_session(session, out_dir)
    with _staging(out_dir) as staging, AnglesWriter(staging) as angles:
        run = _Run(session, angles, axis, "smoothed" if smooth else "live")
        for block in session.blocks(_BLOCK_S):
            run.take_block(block)
            run.take(estimator.push(block))
            if progress is not None:
                progress(min(run.done_s, session.duration_s), session.duration_s)
        run.take(estimator.finish())
        result = run.result()
        refuse_if_nothing_was_measured(result)
        angles.assemble(staging / ANGLES_FILE)
        write_strides(staging / STRIDES_FILE, result)
        write_summary(staging / SUMMARY_FILE, result)
        page(staging / REPORT_FILE, result)
        for name in OUTPUT_FILES:
            os.replace(staging / name, out_dir / name)
    if progress is not None:
        progress(session.duration_s, session.duration_s)
    return result


@dataclass
class _SideRun:
    coverage: CoverageCounter
    waveforms: WaveformCollector
    further: dict[FurtherGroup, WaveformCollector]
    strides: list[Stride]


class _Run:
    """Everything that is kept while the samples go by."""

    def __init__(self, session: Session, angles: AnglesWriter, axis: "SubtalarAxis", kind: Pass) -> None:
        self._session = session
        self._kind: Pass = kind
        self._axis = axis
        self._angles = angles
        self._first_s: float | None = None
        self.done_s = 0.0
        self._rates = {site: RateCounter() for site in session.sensors}
        self._notices = NoticeTallies()
        self._sides: dict[Side, _SideRun] = {
            side: _SideRun(
                CoverageCounter(_one_sensor(session, side)),
                WaveformCollector(side),
                {group: WaveformCollector(side, group) for group in FURTHER_GROUPS},
                [],
            )
            for side in SIDES
            if any(site.side == side for site in session.sensors)
        }

    def take_block(self, block: SampleBlock) -> None:
        """Note what arrived."""
        self._rates[block.site].push(block)
        time_s = block.host_time_s if block.host_time_s is not None else block.device_time_s
        if time_s is not None and len(time_s):
            if self._first_s is None:
                self._first_s = float(time_s[0])
            self.done_s = max(self.done_s, float(time_s[-1]) - self._first_s)

    def take(self, estimates: Estimates) -> None:
        """Note what was found."""
        for angles in estimates.angles:
            self._angles.append(angles)
            self._sides[angles.side].coverage.push(angles)
        for stride in estimates.strides:
            self._sides[stride.side].strides.append(stride)
        for side in self._sides.values():
            for collector in (side.waveforms, *side.further.values()):
                collector.push(estimates.angles, estimates.strides)
        self._notices.push(estimates.notices)

    def result(self) -> AnalysisResult:
        """Close the books."""
        session = self._session
        gait = main_gait(tuple(stride for side in self._sides.values() for stride in side.strides))
        return AnalysisResult(
            session_name=session.path.resolve().name or str(session.path),
            kind=session.kind,
            start_utc=session.start_utc,
            duration_s=session.duration_s,
            annotations=tuple(session.annotations),
            sensors=tuple(
                SensorFacts(
                    session.sensors[site],
                    self._rates[site].samples,
                    self._rates[site].rate_hz,
                    session.ledger.get(site, Ledger(received=self._rates[site].samples)),
                )
                for site in sorted(session.sensors)
            ),
            gait=gait,
            sides={side: self._side_result(side, run, gait) for side, run in self._sides.items()},
            notices=self._notices.finish(),
            notes=tuple(session.notes),
            subtalar_axis_deg=(self._axis.inclination_deg, self._axis.deviation_deg),
            made_by=self._kind,
        )

    def _side_result(self, side: Side, run: _SideRun, gait: Gait) -> SideResult:
        strides = tuple(run.strides)
        used, only_reliable = choose_strides(strides, gait)
        return SideResult(
            side=side,
            one_sensor=_one_sensor(self._session, side),
            strides=strides,
            used=used,
            only_reliable=only_reliable,
            waveforms=run.waveforms.finish(),
            coverage=run.coverage.finish(),
            further={group: collector.finish() for group, collector in run.further.items()},
        )


def _one_sensor(session: Session, side: Side) -> Segment | None:
    """The segment of a leg's only sensor."""
    segments = [site.segment for site in session.sensors if site.side == side]
    return segments[0] if len(segments) == 1 else None


def _gait_estimator(sensors: Mapping[BodySite, SensorInfo], axis: "SubtalarAxis") -> Estimator:
    from subtalar.estimation import GaitEstimator, Parameters  # compiled filters: loaded when an analysis begins

    return GaitEstimator(sensors, Parameters(subtalar_axis=axis))


def _smoothing_estimator(sensors: Mapping[BodySite, SensorInfo], axis: "SubtalarAxis") -> Estimator:
    from subtalar.estimation import Parameters
    from subtalar.estimation.smoothing import SmoothingEstimator

    return SmoothingEstimator(sensors, Parameters(subtalar_axis=axis))


def _subtalar_axis(axis_deg: tuple[float, float] | None) -> "SubtalarAxis":
    from subtalar.estimation.parameters import SubtalarAxis

    return SubtalarAxis() if axis_deg is None else SubtalarAxis(*axis_deg)


def _page_writer() -> Callable[[Path, AnalysisResult], None]:
    """The page needs optional packages; say so before an hour of data is worked through, not after."""
    try:
        from subtalar.report.html import write_html
    except ModuleNotFoundError as error:
        raise InputError(
            f"The report needs the package {error.name}, which is not installed: run pip install 'subtalar[report]'."
        ) from error
    return write_html


def _keep_the_session(session: Session, out_dir: Path) -> None:
    """Refuse results that would be written over the samples they come from."""
    held = {os.path.realpath(file) for file in session.files}
    for name in OUTPUT_FILES:
        if os.path.realpath(out_dir / name) in held:
            raise InputError(
                f"{out_dir / name} holds samples of this session, and a result of that name would take its place: "
                "name another folder with --out."
            )


@contextmanager
def _staging(out_dir: Path) -> Iterator[Path]:
    """A hidden folder inside ``out_dir``; both go again if nothing came of it. OS errors become one sentence."""
    made: list[Path] = []
    staging = out_dir / _UNFINISHED
    try:
        if out_dir.exists() and not out_dir.is_dir():
            raise InputError(f"{out_dir} is a file, and the results need a folder: name another one with --out.")
        for name in OUTPUT_FILES:
            if (out_dir / name).is_dir():
                raise InputError(f"{out_dir / name} is a folder where a result file belongs: move it or name another.")
        made = [folder for folder in (out_dir, *out_dir.parents) if not folder.exists()]
        out_dir.mkdir(parents=True, exist_ok=True)
        with locked(out_dir / _LOCK) as alone:
            if not alone:
                raise InputError(
                    f"Another analysis is writing to {out_dir} at this moment: wait for its end, or name another "
                    "folder with --out."
                )
            try:
                if staging.is_dir():
                    shutil.rmtree(staging)  # an earlier analysis was killed
                staging.mkdir()
                yield staging
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise InputError(
            f"The results cannot be written to {out_dir} ({error.strerror or error}): "
            "check the free space and the right to write there, or name another folder with --out."
        ) from error
    finally:
        for folder in made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
