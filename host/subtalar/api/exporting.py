"""``subtalar.export``: a session in other people's formats."""

from os import PathLike
from pathlib import Path

from subtalar.api.session import Session, read
from subtalar.errors import SubtalarError
from subtalar.exports.content import Options
from subtalar.exports.session_export import check_format, export_session
from subtalar.session import recordings_folder
from subtalar.session.catalogue import read_assignment


def export(
    session: "Session | str | PathLike[str]",
    format: str,
    folder: str | PathLike[str],
    *,
    smooth: bool = False,
    participant: str | None = None,
    task: str | None = None,
) -> tuple[Path, ...]:
    """Write a session as ``motion-bids``, ``opensim``, ``c3d``, ``xdf``, ``parquet`` or ``csv``; returns the files.

    Samples, angles, strides and events are those of ``subtalar export``. Files in the folder that no export wrote are
    never overwritten. ``participant`` and ``task`` go into the names of ``motion-bids``. Raises SubtalarError, in one
    sentence.
    """
    try:
        check_format(format)
    except ImportError as error:
        raise SubtalarError(
            f"This needs the package {error.name}, which is not installed: run `pip install 'subtalar[export]'`."
        ) from None
    opened = session if isinstance(session, Session) else read(session)
    assignment = read_assignment(recordings_folder(), opened.path)
    options = Options(smooth, participant, task, assignment)
    return export_session(opened.opened, format, Path(folder).expanduser(), options)
