"""``subtalar batch``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from subtalar.cli.catalogue_entries import enter_results
from subtalar.cli.estimator_setup import prepare_estimator
from subtalar.cli.missing import missing_package
from subtalar.cli.option_types import SUBTALAR_AXIS_HELP, SubtalarAxisType
from subtalar.errors import InputError, SubtalarError

if TYPE_CHECKING:
    from subtalar.batch import BatchOutcome, Settings
    from subtalar.batch.job import JobResult


@click.command()
@click.argument("folder")
@click.option("--out", "out_dir", required=True, metavar="DIR", help="Folder for the results and the tables.")
@click.option(
    "--workers", type=click.IntRange(1, 1024), metavar="N", help="Sessions at a time; as many as there are cores."
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Work on a Dask cluster whose computers see the same folders instead."
)
@click.option(
    "--subtalar-axis", "axis_deg", type=SubtalarAxisType(), metavar="INCLINATION,DEVIATION", help=SUBTALAR_AXIS_HELP
)
@click.option("--smooth", is_flag=True, help="For research: angles that look ahead, as of `analyze --smooth`.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def batch(
    folder: str,
    out_dir: str,
    *,
    workers: int | None,
    scheduler: str | None,
    axis_deg: tuple[float, float] | None,
    smooth: bool,
    quiet: bool,
) -> None:
    """Analyse every session in FOLDER, at any depth, each into a folder of its own in DIR.

    At the end DIR holds strides.csv, one table of the strides of all sessions, and sessions.csv, which says what
    became of each. Sessions that were done before, by the same version with the same settings, are not done again: a
    batch that was stopped goes on where it was. A session that cannot be analysed does not stop the others.
    """
    if scheduler is not None and workers is not None:
        raise click.UsageError("--workers belongs to this computer: a cluster has as many as were started there")
    for name, what in ((folder, "sessions"), (out_dir, "results")):
        if not name:
            raise InputError(f"The name of the folder of the {what} is empty.")
    from subtalar.batch import Settings
    from subtalar.batch.job import RECORD_FILE
    from subtalar.report.analysis import OUTPUT_FILES

    settings = Settings(axis_deg, smooth)
    if scheduler is not None:
        try:
            import distributed  # noqa: F401
        except ImportError as error:
            raise missing_package(error, "cluster") from None
    else:
        prepare_estimator(quiet=quiet)  # once, and not in every process
    outcome = _run(folder, out_dir, settings, workers, scheduler, quiet=quiet)
    for job in outcome.done:
        enter_results(job.path, job.out, (*OUTPUT_FILES, RECORD_FILE))
    if not quiet:
        kept = f", {outcome.kept} of them done before" if outcome.kept else ""
        click.echo(f"{outcome.sessions} sessions{kept}; {outcome.strides} strides in {outcome.strides_table}")
    if outcome.problems:
        raise SubtalarError(
            f"{len(outcome.problems)} of {outcome.sessions} sessions could not be analysed; "
            f"{outcome.sessions_table} says why."
        )


def _run(
    folder: str, out_dir: str, settings: "Settings", workers: int | None, scheduler: str | None, *, quiet: bool
) -> "BatchOutcome":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from subtalar.batch import run_batch
    from subtalar.session import recordings_folder
    from subtalar.session.catalogue import read_assignment

    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=quiet or not errors.is_terminal,
    )
    with bar:
        task = bar.add_task("Analysing sessions", total=None)

        def tell(done: int, total: int, last: "JobResult | None") -> None:
            bar.update(task, completed=done, total=total)
            if last is not None and last.problem:
                errors.print(f"{last.name}: {last.problem}")

        return run_batch(
            Path(folder),
            Path(out_dir),
            settings=settings,
            workers=workers,
            scheduler=scheduler,
            assignment=partial(read_assignment, recordings_folder()),
            on_progress=tell,
        )
