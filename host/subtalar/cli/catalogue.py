"""``subtalar session list | assign | note`` and ``subtalar participant``."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from subtalar.cli.protection import erase_participant
from subtalar.cli.whole_help import WholeHelpGroup
from subtalar.shown import shown

if TYPE_CHECKING:
    from subtalar.session.catalogue import Catalogue

_NOTES_HELP = "Show the notes as well: free text, not to be passed on."
_SEARCH_HELP = "Only what has all these words in its labels, path or notes."


@click.command("list")
@click.option("--participant", metavar="CODE", help="Only this participant.")
@click.option("--visit", metavar="TEXT", help="Only this visit.")
@click.option("--condition", metavar="TEXT", help="Only this condition.")
@click.option("--search", metavar="TEXT", help=_SEARCH_HELP)
@click.option("--notes", "with_notes", is_flag=True, help=_NOTES_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_sessions(
    *,
    participant: str | None,
    visit: str | None,
    condition: str | None,
    search: str | None,
    with_notes: bool,
    as_json: bool,
) -> None:
    """List the sessions of the recordings folder and those that were recorded or replayed elsewhere."""
    from subtalar.session.catalogue import checked_code, open_catalogue
    from subtalar.session.catalogue.listing import SESSION_HEADINGS, columns, session_cells, session_json

    code = checked_code(participant) if participant else ""
    with open_catalogue() as catalogue:
        rows = catalogue.sessions(code, visit=visit or "", condition=condition or "", search=search or "")
        _echo_problems(catalogue)
        folder = catalogue.folder
    if as_json:
        click.echo(json.dumps([session_json(row, with_notes=with_notes) for row in rows], indent=2))
        return
    if not rows:
        click.echo(f"No session{' like that' if any((code, visit, condition, search)) else ''} in {folder}.")
        return
    lines = columns(SESSION_HEADINGS, [session_cells(row, _short(row.path, folder)) for row in rows])
    click.echo(lines[0])
    for line, row in zip(lines[1:], rows, strict=True):
        click.echo(line)
        for note in row.notes if with_notes else ():
            when = "" if note.at_s is None else f", at {note.at_s:g} s"
            _echo_note(f"{note.written_utc[:10]}{when}", note.text)


@click.command()
@click.argument("session_path", metavar="SESSION")
@click.option("--participant", metavar="CODE", help="Whose session it is: a pseudonymous code such as P017.")
@click.option("--visit", metavar="TEXT", help="Which visit of the participant, such as baseline.")
@click.option("--condition", metavar="TEXT", help="What is compared, such as barefoot or insole A.")
def assign(session_path: str, *, participant: str | None, visit: str | None, condition: str | None) -> None:
    """Say whose SESSION it is, where nobody did or it was wrong; also takes a session elsewhere into the list.

    What is not said stays as it was. The recording itself is not changed: it is written beside it.
    """
    from subtalar.errors import InputError
    from subtalar.session import open_session
    from subtalar.session.catalogue import (
        checked_assignment,
        checked_code,
        link_session,
        open_catalogue,
        read_assignment,
        write_sidecar,
    )
    from subtalar.session.opening import is_recording

    path = Path(session_path).expanduser().absolute()
    if not any((participant, visit, condition)):
        raise InputError("There is nothing to say of the session: give --participant, --visit or --condition.")
    with open_catalogue(refreshed=False) as catalogue:
        before = read_assignment(catalogue.folder, path)
        code = checked_code(participant) if participant else before.participant
        same = code == before.participant
        assignment = checked_assignment(code, visit or (before.visit if same else ""), condition or before.condition)
        if path.exists() and not is_recording(path):
            link_session(catalogue.folder, path, open_session(path, minimum_s=0.0))
        write_sidecar(catalogue.folder, path, assignment)
        catalogue.refresh_session(path)
    click.echo(f"{path.name}: {', '.join(assignment.as_json().values())}")


@click.command()
@click.argument("session_path", metavar="SESSION")
@click.argument("text")
@click.option("--at", "at_s", type=float, metavar="S", help="The moment of the session that the note is about.")
def note(session_path: str, text: str, *, at_s: float | None) -> None:
    """Keep a note on a SESSION, beside it in a file of its own; free text that is left out of whatever is shared."""
    from subtalar.session.catalogue import add_session_note, link_session, open_catalogue
    from subtalar.session.opening import is_recording

    path = Path(session_path).expanduser().absolute()
    add_session_note(path, text, at_s)
    with open_catalogue(refreshed=False) as catalogue:
        if is_recording(path):
            link_session(catalogue.folder, path)
        catalogue.refresh_session(path)
    click.echo(f"Noted beside {path.name}.")


@click.group(cls=WholeHelpGroup)
def participant() -> None:
    """Participants by their pseudonymous codes: what is known of them, and erasing all of it."""


@participant.command()
@click.argument("code")
@click.option("--side", type=click.Choice(["left", "right", "both"]), help="The affected side.")
@click.option("--height-m", type=float, metavar="M", help="Height in metres.")
@click.option("--footwear", metavar="TEXT", help="What is usually worn.")
@click.option("--note", "note_text", metavar="TEXT", help="Free text, kept apart and left out of whatever is shared.")
def add(code: str, *, side: str | None, height_m: float | None, footwear: str | None, note_text: str | None) -> None:
    """Add a participant, or say more of one: CODE is pseudonymous, such as P017. What is not said stays as it was."""
    from subtalar.session.catalogue import open_catalogue
    from subtalar.session.catalogue.participants import update_participant
    from subtalar.types import SIDES, Side

    sides: tuple[Side, ...] | None = None
    if side is not None:
        sides = SIDES if side == "both" else tuple(s for s in SIDES if s == side)
    with open_catalogue() as catalogue:
        person = update_participant(
            catalogue, code, affected_sides=sides, height_m=height_m, footwear=footwear, note=note_text
        )
    click.echo(f"Participant {person.code} is kept.")


@participant.command()
@click.argument("code")
@click.option("--notes", "with_notes", is_flag=True, help=_NOTES_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(code: str, *, with_notes: bool, as_json: bool) -> None:
    """Show what is known of a participant, and the sessions."""
    from subtalar.session.catalogue import checked_code, open_catalogue
    from subtalar.session.catalogue.listing import (
        PARTICIPANT_HEADINGS,
        SESSION_HEADINGS,
        columns,
        participant_cells,
        participant_json,
        session_cells,
        session_json,
    )

    with open_catalogue() as catalogue:
        row = catalogue.participant(checked_code(code))
        sessions = catalogue.sessions(row.participant.code)
        _echo_problems(catalogue)
        folder = catalogue.folder
    if as_json:
        said = participant_json(row, with_notes=with_notes)
        said["sessions"] = [session_json(s, with_notes=with_notes) for s in sessions]
        click.echo(json.dumps(said, indent=2))
        return
    _echo_lines(columns(PARTICIPANT_HEADINGS, [participant_cells(row)]))
    for kept in row.notes if with_notes else ():
        _echo_note(kept.written_utc[:10], kept.text)
    if sessions:
        click.echo()
        _echo_lines(columns(SESSION_HEADINGS, [session_cells(s, _short(s.path, folder)) for s in sessions]))


@participant.command("list")
@click.option("--search", metavar="TEXT", help="Only those who have all these words in code, footwear or notes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_participants(*, search: str | None, as_json: bool) -> None:
    """List all participants."""
    from subtalar.session.catalogue import open_catalogue
    from subtalar.session.catalogue.listing import PARTICIPANT_HEADINGS, columns, participant_cells, participant_json

    with open_catalogue() as catalogue:
        rows = catalogue.participants(search or "")
        _echo_problems(catalogue)
        folder = catalogue.folder
    if as_json:
        click.echo(json.dumps([participant_json(row, with_notes=False) for row in rows], indent=2))
    elif rows:
        _echo_lines(columns(PARTICIPANT_HEADINGS, [participant_cells(row) for row in rows]))
    else:
        click.echo(f"No participant{' like that' if search else ''} in {folder}.")


participant.add_command(erase_participant)


def _echo_problems(catalogue: "Catalogue") -> None:
    for trouble in catalogue.problems:
        click.echo(f"subtalar: {trouble}", err=True)


def _echo_lines(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)


def _echo_note(when: str, text: str) -> None:
    """Of text that may hold whatever somebody pasted: a terminal must not obey it."""
    for number, line in enumerate(text.splitlines() or [""]):
        click.echo(f"    {when if number == 0 else ' ' * len(when)}  {shown(line)}")


def _short(path: Path, folder: Path) -> str:
    """Below the recordings folder: without it."""
    return os.fspath(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
