"""Export a session: one pass over its samples, and the writer of the format."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from subtalar.errors import InputError
from subtalar.exports.content import Options, gait_results
from subtalar.exports.session_time import SessionTimes, TimedBlock
from subtalar.exports.target_folder import Target
from subtalar.exports.writer import FormatWriter
from subtalar.session.estimates import make_estimator, run_estimator
from subtalar.session.model import Session
from subtalar.session.output_folder import staging
from subtalar.types import BodySite, GaitEvent, Notice, Stride

FORMATS: Final = {
    "motion-bids": "motion_bids.MotionBidsWriter",
    "opensim": "opensim.OpenSimWriter",
    "c3d": "c3d.C3dWriter",
    "xdf": "xdf.XdfWriter",
    "parquet": "parquet.ParquetWriter",
    "csv": "csv_tables.CsvWriter",
}
"""Format -> module of this package and the class that writes it; a module is imported when its format is asked for."""

_BLOCK_S = 5.0

Progress = Callable[[float, float], None]
"""Called with the seconds done and the seconds of the whole session."""


def export_session(
    session: Session,
    format_name: str,
    out_dir: Path,
    options: Options | None = None,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Write a session in one of ``FORMATS`` into a folder and return the files.

    Angles, strides and events come from the estimator run over the session: those of the live session to the last bit,
    or with ``options.smooth`` those of the pass that looks ahead. The files appear together, at the end. Those of an
    earlier export of the same session are replaced, others never. ImportError where the format needs a package that
    is not installed. Raises InputError in one sentence.
    """
    options = options or Options()
    make = _writer(format_name)
    target = Target(out_dir, session, shared=make.shared)
    target.check_early()
    estimator = make_estimator(session.sensors, smooth=options.smooth)
    clocks = {site: SessionTimes(info) for site, info in session.sensors.items()}
    strides: list[Stride] = []
    events: list[GaitEvent] = []
    notices: list[Notice] = []
    first_s: float | None = None
    with staging(out_dir) as folder, make(folder, target, session, options) as writer:
        for block, new in run_estimator(estimator, session.blocks(_BLOCK_S)):
            timed = clocks[block.site].push(block) if block is not None else _remaining(clocks)
            for samples in timed:
                writer.add_samples(samples)
            for angles in new.angles:
                writer.add_angles(angles)
            strides += new.strides
            events += new.events
            notices += new.notices
            if progress is not None and block is not None and len(block):
                time_s = block.host_time_s if block.host_time_s is not None else block.device_time_s
                assert time_s is not None
                first_s = float(time_s[0]) if first_s is None else first_s
                progress(min(float(time_s[-1]) - first_s, session.duration_s), session.duration_s)
        writer.finish(gait_results(strides, events, notices, session.annotations))
        writer.files.close()
        return target.publish(folder)


def check_format(format_name: str) -> None:
    """InputError where there is no such format, ImportError where a package that it needs is not installed."""
    _writer(format_name)


def _remaining(clocks: Mapping[BodySite, SessionTimes]) -> list[TimedBlock]:
    return [block for clock in clocks.values() for block in clock.finish()]


def _writer(format_name: str) -> type[FormatWriter]:
    if format_name not in FORMATS:
        raise InputError(f"{format_name} is not a format: choose one of {', '.join(FORMATS)}.")
    module, name = FORMATS[format_name].split(".")
    return cast("type[FormatWriter]", getattr(import_module(f"subtalar.exports.{module}"), name))
