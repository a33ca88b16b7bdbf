"""``subtalar analyze``: what the person at the terminal sees of an analysis."""

import os
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from subtalar.errors import InputError
from subtalar.report.analysis import OUTPUT_FILES, REPORT_FILE, analyze
from subtalar.report.data_quality import judge
from subtalar.report.results import AnalysisResult
from subtalar.report.wording import count, duration
from subtalar.session import recordings_folder
from subtalar.session.catalogue import read_assignment
from subtalar.session.opening import open_session


def analyze_command(
    session_path: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    quiet: bool = False,
    *,
    subtalar_axis_deg: tuple[float, float] | None = None,
    smooth: bool = False,
) -> None:
    """Analyse a session into a folder and print what was found.

    Progress goes to stderr, and only to a terminal; the summary to stdout. ``quiet`` silences both.
    ``subtalar_axis_deg`` is inclination and deviation; the mean axis when None. ``smooth``: the pass that looks ahead.
    Raises SubtalarError with one sentence for a session or a folder that cannot be used.
    """
    if not os.fspath(out_dir):
        raise InputError("The name of the folder for the results is empty: give one with --out.")
    out = Path(out_dir).expanduser()
    session = open_session(Path(session_path), cached=True)
    errors = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=quiet or not errors.is_terminal,
    )
    with bar:
        task = bar.add_task(f"Analysing {duration(session.duration_s)}", total=session.duration_s)
        result = analyze(
            session,
            out,
            progress=lambda done_s, total_s: bar.update(task, completed=done_s),
            subtalar_axis_deg=subtalar_axis_deg,
            smooth=smooth,
            assignment=read_assignment(recordings_folder(), session.path),
        )
    if not quiet:
        Console(highlight=False, soft_wrap=True, markup=False).print("\n".join(summary_lines(result, out)))


def summary_lines(result: AnalysisResult, out: Path) -> list[str]:
    """The few lines that are printed after an analysis."""
    strides = ", ".join(f"{side} {len(found.strides)}" for side, found in result.sides.items())
    verdict = judge(result)
    return [
        f"{result.session_name}: {duration(result.duration_s)}, {count(result.stride_count, 'stride')} ({strides})",
        *(["Smoothed: the angles look ahead over the whole recording."] if result.estimator_pass == "smoothed" else []),
        f"Data quality: {verdict.level}",
        *(f"  {reason}" for reason in verdict.reasons),
        f"Report: {out / REPORT_FILE}",
        f"Tables: {', '.join(name for name in OUTPUT_FILES if name != REPORT_FILE)} in {out}",
    ]
