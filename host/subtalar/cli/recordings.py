"""``subtalar session salvage | trim | join``: recordings after the session; ``subtalar.cli`` adds them."""

from pathlib import Path

import click

from subtalar.cli.background_salvage import salvage_and_catalogue
from subtalar.cli.catalogue_entries import enter_new_recording
from subtalar.cli.option_types import FiniteRange
from subtalar.errors import InputError, SubtalarError


@click.command()
@click.argument("folder", required=False)
def salvage(folder: str | None) -> None:
    """Close the recordings in FOLDER (or one recording) that a crash left open.

    Without FOLDER: those in the folder that `subtalar recordings` names. A clean copy takes a recording's place only
    after it has been checked. A live session does this by itself when it starts.
    """
    from subtalar.session import earlier_folders, recordings_folder
    from subtalar.session.recording.repair.salvage import unclosed_recordings

    place = recordings_folder() if folder is None else Path(folder).expanduser()
    if not place.exists() and folder is not None:
        raise InputError(f"There is no {place}: check the name of the folder.")
    places = (place, *(earlier_folders() if folder is None else ()))
    found = [place] if place.is_file() else [path for each in places for path in unclosed_recordings(each)]
    results = [salvage_and_catalogue(path) for path in found]
    for result in results:
        click.echo(result.text, err=not result.ok)
    if not results:
        click.echo(f"No recording in {place} was left open.")
    if not all(result.ok for result in results):
        raise SubtalarError("Not every recording could be closed.")


@click.command()
@click.argument("session_path", metavar="SESSION")
@click.option("--from", "from_s", type=FiniteRange(), metavar="S", help="Begin here; the beginning when not given.")
@click.option("--to", "to_s", type=FiniteRange(), metavar="S", help="End here; the end when not given.")
@click.option("--out", "out", required=True, metavar="FILE", help="The new recording; must not exist.")
def trim(session_path: str, from_s: float | None, to_s: float | None, out: str) -> None:
    """Cut a stretch out of the recording SESSION into a new one; SESSION is not touched.

    Times are seconds on the session's clock, as in angles.csv. Samples, raw bytes, angles and all else that is
    recorded come along as they are. Angles can only be found anew where the stretch holds quiet standing and a walk.
    """
    from subtalar.session.recording.edit.trim import trim as trim_recording

    if from_s is None and to_s is None:
        raise click.UsageError("say where to cut: --from, --to or both")
    click.echo(trim_recording(session_path, out, from_s=from_s, to_s=to_s).text)
    enter_new_recording(out, session_path)


@click.command()
@click.argument("parts", nargs=-1, required=True, metavar="PART1 PART2 …")
@click.option("--out", "out", required=True, metavar="FILE", help="The new recording; must not exist.")
def join(parts: tuple[str, ...], out: str) -> None:
    """Make one recording of the parts of a session that went on in another place when a disk failed."""
    from subtalar.session.recording.edit.join import join_parts

    if len(parts) < 2:
        raise click.UsageError("name two parts or more, in their order")
    click.echo(join_parts(parts, out).text)
    enter_new_recording(out, *parts)
