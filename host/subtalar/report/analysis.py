"""From a session to its tables and its page, in one pass; with bounded memory unless the pass looks ahead."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from subtalar.anatomy import FURTHER_GROUPS, AngleGroup, measured_sides, only_segment
from subtalar.errors import InputError
from subtalar.report.angles_csv import AnglesWriter
from subtalar.report.coverage import CoverageCounter, NoticeTallies, RateCounter
from subtalar.report.refusal import raise_if_nothing_measured
from subtalar.report.results import AnalysisResult, Gait, Pass, SensorFacts, SideResult, choose_strides, main_gait
from subtalar.report.tables import write_strides, write_summary
from subtalar.report.waveforms import WaveformCollector
from subtalar.session.catalogue import UNASSIGNED, Assignment
from subtalar.session.estimates import Estimator, Repeatable, default_subtalar_axis_deg, make_estimator, run_estimator
from subtalar.session.model import Session
from subtalar.session.output_folder import staging
from subtalar.types import AngleBlock, BodySite, Estimates, GaitEvent, Ledger, SampleBlock, SensorInfo, Side, Stride

ANGLES_FILE: Final = "angles.csv"
STRIDES_FILE: Final = "strides.csv"
SUMMARY_FILE: Final = "summary.json"
REPORT_FILE: Final = "report.html"
OUTPUT_FILES: Final = (ANGLES_FILE, STRIDES_FILE, SUMMARY_FILE, REPORT_FILE)

_BLOCK_S = 5.0

Progress = Callable[[float, float], None]
"""Called with the seconds done and the seconds of the whole session."""


PageWriter = Callable[[Path, AnalysisResult], None]
EstimatorFactory = Callable[[Mapping[BodySite, SensorInfo]], Estimator]


def analyze(
    session: Session,
    out_dir: Path,
    *,
    progress: Progress | None = None,
    estimator_factory: EstimatorFactory | None = None,
    subtalar_axis_deg: tuple[float, float] | None = None,
    smooth: bool = False,
    assignment: Assignment = UNASSIGNED,
) -> AnalysisResult:
    """Run the estimator over a session and write ``angles.csv``, ``strides.csv``, ``summary.json``, ``report.html``.

    The four files appear in ``out_dir`` together, at the end; until then everything is in a hidden folder inside it,
    which is removed whatever happens. Files of an earlier analysis are replaced, others are left alone.
    ``subtalar_axis_deg`` is inclination and deviation of the subtalar axis; None: the mean one. ``smooth``: angles that
    look ahead over the whole recording, which is then held in memory; the files say so. ``about``: whose session it is.
    Raises InputError, in one sentence, when the folder cannot be used, when a result would take the place of a file
    of the session, or when nothing could be measured.
    """
    page = page_writer()
    _refuse_overwriting_session(session, out_dir)
    with staging(out_dir) as hidden, AnglesWriter(hidden) as angles:
        result = measure(
            session,
            angles,
            progress=progress,
            estimator=None if estimator_factory is None else estimator_factory(session.sensors),
            subtalar_axis_deg=subtalar_axis_deg,
            smooth=smooth,
            assignment=assignment,
        )
        _publish(hidden, out_dir, angles, result, page)
    if progress is not None:
        progress(session.duration_s, session.duration_s)
    return result


def rewrite_results(session: Session, blocks: Iterable[AngleBlock], result: AnalysisResult, out_dir: Path) -> None:
    """The four files of ``analyze`` from what was measured before: ``blocks`` are all that the sink of ``measure`` got.

    Raises InputError as ``analyze`` does.
    """
    page = page_writer()
    _refuse_overwriting_session(session, out_dir)
    with staging(out_dir) as hidden, AnglesWriter(hidden) as angles:
        for block in blocks:
            angles.append(block)
        _publish(hidden, out_dir, angles, result, page)


class AngleSink(Protocol):
    """Where angles go as they are found."""

    def append(self, block: AngleBlock) -> None:
        """The next rows of one side."""
        ...

    def clear(self) -> None:
        """Forget all rows."""
        ...


def measure(
    session: Session,
    angles: AngleSink,
    *,
    progress: Progress | None = None,
    estimator: Estimator | None = None,
    subtalar_axis_deg: tuple[float, float] | None = None,
    smooth: bool = False,
    assignment: Assignment = UNASSIGNED,
) -> AnalysisResult:
    """Run the estimator over a session; its angles go to a sink, all else is in the result.

    Where zero became better known in the course of the session, the best one counts from the beginning: the estimator
    runs a second time, and the sink begins anew. ``estimator``: None for the usual one, live or with ``smooth`` the one
    that looks ahead. Raises InputError, in one sentence, when nothing could be measured.
    """
    axis_deg = default_subtalar_axis_deg() if subtalar_axis_deg is None else subtalar_axis_deg
    if estimator is None:
        estimator = make_estimator(session.sensors, smooth=smooth, subtalar_axis_deg=axis_deg)
    again: Estimator | None = estimator
    while again is not None:
        estimator = again
        angles.clear()
        run = _Pass(session, angles, axis_deg, "smoothed" if smooth else "live")
        for block, found in run_estimator(estimator, session.blocks(_BLOCK_S)):
            if block is not None:
                run.add_block(block)
            run.take(found)
            if progress is not None:
                progress(min(run.done_s, session.duration_s), session.duration_s)
        again = estimator.again() if isinstance(estimator, Repeatable) else None
    result = replace(run.result(), assignment=assignment)
    raise_if_nothing_measured(result)
    return result


def _publish(hidden: Path, out_dir: Path, angles: AnglesWriter, result: AnalysisResult, page: PageWriter) -> None:
    angles.assemble(hidden / ANGLES_FILE)
    write_strides(hidden / STRIDES_FILE, result)
    write_summary(hidden / SUMMARY_FILE, result)
    page(hidden / REPORT_FILE, result)
    for name in OUTPUT_FILES:
        os.replace(hidden / name, out_dir / name)


@dataclass
class _SideRun:
    coverage: CoverageCounter
    waveforms: WaveformCollector
    further: dict[AngleGroup, WaveformCollector]
    strides: list[Stride]


class _Pass:
    """Everything that is kept while the samples go by."""

    def __init__(self, session: Session, angles: AngleSink, axis_deg: tuple[float, float], kind: Pass) -> None:
        self._session = session
        self._kind: Pass = kind
        self._axis_deg = axis_deg
        self._angles = angles
        self._first_s: float | None = None
        self.done_s = 0.0
        self._rates = {site: RateCounter() for site in session.sensors}
        self._notices = NoticeTallies()
        self._events: list[GaitEvent] = []
        self._sides: dict[Side, _SideRun] = {
            side: _SideRun(
                CoverageCounter(only_segment(session.sensors, side)),
                WaveformCollector(side),
                {group: WaveformCollector(side, group) for group in FURTHER_GROUPS},
                [],
            )
            for side in measured_sides(session.sensors)
        }

    def add_block(self, block: SampleBlock) -> None:
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
        self._events += estimates.events

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
            subtalar_axis_deg=self._axis_deg,
            estimator_pass=self._kind,
            events=tuple(sorted(self._events, key=lambda e: (e.time_s, e.side, e.kind))),
        )

    def _side_result(self, side: Side, run: _SideRun, gait: Gait) -> SideResult:
        strides = tuple(run.strides)
        used, only_reliable = choose_strides(strides, gait)
        return SideResult(
            side=side,
            one_sensor=only_segment(self._session.sensors, side),
            strides=strides,
            used=used,
            only_reliable=only_reliable,
            waveforms=run.waveforms.finish(),
            coverage=run.coverage.finish(),
            further={group: collector.finish() for group, collector in run.further.items()},
        )


def page_writer() -> PageWriter:
    """The page needs optional packages; say so before an hour of data is worked through, not after."""
    try:
        from subtalar.report.page.html import write_html
    except ModuleNotFoundError as error:
        raise InputError(
            f"The report needs the package {error.name}, which is not installed: run pip install 'subtalar[report]'."
        ) from error
    return write_html


def _refuse_overwriting_session(session: Session, out_dir: Path) -> None:
    """Refuse results that would be written over the samples they come from."""
    held = {os.path.realpath(file) for file in session.files}
    for name in OUTPUT_FILES:
        if (out_dir / name).is_dir():
            raise InputError(f"{out_dir / name} is a folder where a result file belongs: move it or name another.")
        if os.path.realpath(out_dir / name) in held:
            raise InputError(
                f"{out_dir / name} holds samples of this session, and a result of that name would take its place: "
                "name another folder with --out."
            )
