"""A live session enters the catalogue. Whatever goes wrong there is said once, and the session goes on."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from subtalar.errors import InputError

if TYPE_CHECKING:
    from subtalar.acquisition.plan import AcquisitionPlan, Outcome
    from subtalar.session import Session
    from subtalar.session.catalogue import Assignment

_START_TIMEOUT_S = 1.0
"""Somebody waits to walk."""
_LATER = "The session goes on and is recorded all the same; `subtalar session list` takes it in later."


def assignment_from_options(
    replayed: "Session | None", participant: str | None, visit: str | None, condition: str | None
) -> "Assignment":
    """What the person said of the session; of a replay, what the recording says where the person does not.

    Raises InputError, also where a replay would change whose session it is.
    """
    from subtalar.session import recordings_folder
    from subtalar.session.catalogue import checked_assignment, read_assignment

    if replayed is None:
        return checked_assignment(participant, visit, condition)
    said = checked_assignment(participant, None, condition)
    known = read_assignment(recordings_folder(), replayed.path)
    if known.participant and said.participant and known.participant != said.participant:
        raise InputError(
            f"{replayed.path.name} is a session of {known.participant}: "
            f"a replay cannot make it one of {said.participant}; `subtalar session assign` can."
        )
    return checked_assignment(
        said.participant or known.participant, visit or known.visit, said.condition or known.condition
    )


def enter_beginning(plan: "AcquisitionPlan", replayed: "Session | None") -> bool:
    """Enter the recording that is about to begin, and the session that is replayed; False where that failed."""
    from subtalar.session import recordings_folder
    from subtalar.session.catalogue import UNASSIGNED, link_session, open_catalogue

    if plan.record_path is None and replayed is None:
        return True
    folder = recordings_folder()
    try:
        # First what needs no database: from this alone the session is found again.
        if replayed is not None:
            link_session(folder, replayed.path, replayed)
        if plan.record_path is not None:
            link_session(folder, plan.record_path)
        with open_catalogue(folder, timeout_s=_START_TIMEOUT_S, refreshed=False) as catalogue:
            if replayed is not None:
                catalogue.refresh_session(replayed.path)
            if plan.record_path is not None:
                catalogue.add_upcoming(plan.record_path, plan.assignment or UNASSIGNED, datetime.now(UTC).isoformat())
    except (InputError, OSError) as error:
        click.echo(f"subtalar: {error} {_LATER}", err=True)
        return False
    return True


def enter_results(session: str | Path, out_dir: str | Path, files: Iterable[str], file_list: str = "") -> None:
    """Remember what was made from a session of the catalogue, so that it is erased with it. A failure is said."""
    from subtalar.session import recordings_folder
    from subtalar.session.catalogue import link_results

    path, out = Path(session).expanduser().absolute(), Path(out_dir).expanduser()
    try:
        link_results(recordings_folder(), path, out, files, file_list)
    except InputError as error:
        click.echo(f"subtalar: {error} The results will have to be erased by hand one day.", err=True)


def enter_new_recording(made: str | Path, *sources: str | Path) -> None:
    """A recording that was made from others, wherever that is: it is whose they are. A failure is said."""
    from subtalar.session import recordings_folder
    from subtalar.session.catalogue import is_catalogued, link_session, read_assignment, write_sidecar

    folder, path = recordings_folder(), Path(made).expanduser().absolute()
    try:
        said = [
            assignment
            for source in sources
            if (assignment := read_assignment(folder, Path(source).expanduser().absolute()))
        ]
        # What `session assign` said stands beside the sources, not in them.
        if said and path.exists() and read_assignment(folder, path) != said[0]:
            write_sidecar(folder, path, said[0])
        if path.exists() and is_catalogued(folder, path):
            link_session(folder, path)
    except InputError as error:
        click.echo(f"subtalar: {error} `subtalar session list` does not know {path.name}.", err=True)


def enter_end(plan: "AcquisitionPlan", outcome: "Outcome", *, already_reported: bool) -> None:
    """Enter how the recording ended, wherever it went on. Silent where it failed at the beginning already."""
    from subtalar.session import recordings_folder
    from subtalar.session.catalogue import link_session, open_catalogue, remove_unused_link

    if plan.record_path is None:
        return
    folder, newest = recordings_folder(), Path(outcome.recording_path or plan.record_path)
    try:
        remove_unused_link(folder, plan.record_path)
        if newest != plan.record_path and newest.exists():
            link_session(folder, newest)
        with open_catalogue(folder, refreshed=False) as catalogue:
            for path in dict.fromkeys((plan.record_path, newest)):
                catalogue.refresh_session(path)
    except (InputError, OSError) as error:
        if not already_reported:
            click.echo(f"subtalar: {error} `subtalar session list` takes the session in later.", err=True)
