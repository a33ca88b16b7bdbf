"""Adding participants and saying more of them: into their file first, then into the catalogue."""

from subtalar.session.catalogue.assignment import Participant, checked_code, checked_height, checked_label
from subtalar.session.catalogue.sidecar_files import (
    append_note,
    participant_notes_file,
    private_folder,
    read_participant,
    write_participant,
)
from subtalar.session.catalogue.store import Catalogue
from subtalar.types import Side


def update_participant(
    catalogue: Catalogue,
    code: str,
    *,
    affected_sides: tuple[Side, ...] | None = None,
    height_m: float | None = None,
    footwear: str | None = None,
    note: str | None = None,
) -> Participant:
    """Keep what is said; None leaves what was known. Raises InputError, and then nothing has changed."""
    code = checked_code(code)
    height_m = checked_height(height_m)
    footwear = footwear if footwear is None else checked_label("footwear", footwear)
    with catalogue.exclusive():  # of two windows that describe the same person, none undoes the other's words
        before = read_participant(catalogue.folder, code) or Participant(code)
        person = Participant(
            code,
            before.affected_sides if affected_sides is None else affected_sides,
            before.height_m if height_m is None else height_m,
            before.footwear if footwear is None else footwear,
        )
        if note is not None:
            path = participant_notes_file(catalogue.folder, code)
            private_folder(path.parent)
            append_note(path, note)
        write_participant(catalogue.folder, person)
    catalogue.refresh()
    return person
