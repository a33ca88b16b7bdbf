"""``subtalar export``."""

from pathlib import Path

import click

from subtalar.cli.catalogue_entries import enter_results
from subtalar.cli.estimator_setup import prepare_estimator
from subtalar.cli.missing import missing_package
from subtalar.errors import InputError

_FORMATS = ("motion-bids", "opensim", "c3d", "xdf", "parquet", "csv")


@click.command()
@click.argument("session_path", metavar="SESSION")
@click.option(
    "--format", "format_name", type=click.Choice(_FORMATS), required=True, help="What docs/export.md tells apart."
)
@click.option("--out", "out_dir", required=True, metavar="DIR", help="Folder for the files; made if it is not there.")
@click.option(
    "--smooth",
    is_flag=True,
    help="For research: angles that look ahead over the whole recording; not what the live session showed. Holds the "
    "recording in memory, about 1 GB an hour and leg.",
)
@click.option(
    "--participant", metavar="CODE", help="motion-bids: the participant's label, such as P07; else the session's."
)
@click.option("--task", metavar="NAME", help="motion-bids: the task's label, such as treadmill (gait).")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def export(
    session_path: str,
    format_name: str,
    out_dir: str,
    *,
    smooth: bool,
    participant: str | None,
    task: str | None,
    quiet: bool,
) -> None:
    """Write a SESSION in a format that other programs read: samples, angles, strides and events.

    SESSION is whatever `subtalar analyze` takes. Lost samples stay lost, and the session is not changed. Files in DIR
    that this command did not write are never overwritten.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from subtalar.exports.content import Options
    from subtalar.exports.session_export import check_format, export_session
    from subtalar.exports.target_folder import LIST_FILE
    from subtalar.session import recordings_folder
    from subtalar.session.catalogue import read_assignment
    from subtalar.session.opening import open_session

    if not out_dir:
        raise InputError("The name of the folder for the files is empty: give one with --out.")
    try:
        check_format(format_name)
    except ImportError as error:
        raise missing_package(error, "export") from None
    session = open_session(session_path)
    assignment = read_assignment(recordings_folder(), session.path)
    prepare_estimator(quiet=quiet)
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
        shown = bar.add_task("Exporting", total=session.duration_s)
        files = export_session(
            session,
            format_name,
            Path(out_dir).expanduser(),
            Options(smooth=smooth, participant=participant, task=task, assignment=assignment),
            lambda done_s, total_s: bar.update(shown, completed=done_s, total=total_s),
        )
    out = Path(out_dir).expanduser()
    enter_results(session_path, out, [file.relative_to(out).as_posix() for file in files], LIST_FILE)
    if not quiet:
        for file in files:
            click.echo(str(file))
