"""What the catalogue knows, from nothing but the files; and that it survives whatever happens to it."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from subtalar.errors import InputError
from subtalar.session.catalogue import (
    Assignment,
    Participant,
    add_session_note,
    link_session,
    open_catalogue,
    read_assignment,
    write_sidecar,
)
from subtalar.session.catalogue.layout import CATALOGUE, LINKS, NOTES_SUFFIX
from subtalar.session.catalogue.participants import update_participant
from subtalar.session.catalogue.store import REBUILT_NOTE


def known(folder, **asked):
    """Everything that the catalogue says, as comparable values."""
    with open_catalogue(folder) as catalogue:
        sessions = catalogue.sessions(**asked)
        return sessions, catalogue.participants(), catalogue.problems


@pytest.fixture
def full(folder, record, tmp_path):
    """Three people, five sessions, one of them elsewhere, one not closed; notes of both kinds."""
    record(folder / "a.mcap", "P001", "baseline", "barefoot", day=0)
    record(folder / "sub folder" / "ö.mcap", "P001", "baseline", "insole A", day=1)
    record(folder / "c.mcap", "P002", "", "barefoot", day=2, closed=False)
    record(folder / "d.mcap", day=3)
    elsewhere = record(tmp_path / "stick" / "e.mcap", "P001", "week 6", "barefoot", day=4)
    link_session(folder, elsewhere)
    add_session_note(folder / "a.mcap", "Schmerz links bei Übung =2+2", 1.5)
    add_session_note(elsewhere, "late")
    with open_catalogue(folder) as catalogue:
        update_participant(catalogue, "p003", affected_sides=("left",), height_m=1.8, footwear="clogs", note="shy")
    return folder


def test_sessions_are_listed_with_what_their_recordings_say(full, tmp_path):
    sessions, people, problems = known(full)
    assert problems == ()
    assert [s.path for s in sessions] == [
        full / "a.mcap",
        full / "sub folder" / "ö.mcap",
        full / "c.mcap",
        full / "d.mcap",
        tmp_path / "stick" / "e.mcap",
    ]
    assert sessions[0].assignment == Assignment("P001", "baseline", "barefoot")
    assert [s.state for s in sessions] == ["closed", "closed", "open", "closed", "closed"]
    assert sessions[0].facts.duration_s == pytest.approx(2.0, abs=0.1)
    assert sessions[0].facts.strides == 1
    assert sessions[2].facts.duration_s is None
    assert sessions[0].facts.sensors == ("right_foot", "right_shank")
    assert [(n.text, n.at_s) for n in sessions[0].notes] == [("Schmerz links bei Übung =2+2", 1.5)]
    assert [(p.participant.code, p.sessions, p.visits) for p in people] == [
        ("P001", 3, ("baseline", "week 6")),
        ("P002", 1, ()),
        ("P003", 0, ()),
    ]
    assert people[2].participant == Participant("P003", ("left",), 1.8, "clogs")


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"participant": "P001"}, ["a.mcap", "ö.mcap", "e.mcap"]),
        ({"condition": "Barefoot"}, ["a.mcap", "c.mcap", "e.mcap"]),
        ({"participant": "P001", "visit": "week 6"}, ["e.mcap"]),
        ({"search": "schmerz UBUNG"}, ["a.mcap"]),
        ({"search": "insole"}, ["ö.mcap"]),
        ({"search": "p001 barefoot"}, ["a.mcap", "e.mcap"]),
        ({"search": "100%"}, []),
        ({"search": "' OR 1=1 --"}, []),
        ({"condition": "bare"}, []),
    ],
)
def test_search(full, asked, names):
    assert [s.path.name for s in known(full, **asked)[0]] == names


def test_a_lost_catalogue_is_made_anew_from_the_files(full):
    before = known(full)
    for name in os.listdir(full):
        if name.startswith(CATALOGUE):
            (full / name).unlink()
    assert known(full) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"not a database" * 1000,
        lambda data: data[: len(data) // 2],
        lambda data: data[:4096] + os.urandom(len(data) - 4096),
        lambda data: data[:20] + b"\xff" * 40 + data[60:],
    ],
    ids=["empty", "rubbish", "cut", "pages", "header"],
)
def test_a_damaged_catalogue_is_made_anew_from_the_files(full, damage):
    before = known(full)
    path = full / CATALOGUE
    path.write_bytes(damage(path.read_bytes()))
    sessions, people, problems = known(full)
    assert (sessions, people) == before[:2]
    assert problems in ((), (REBUILT_NOTE,))
    assert known(full) == before


def test_somebody_elses_database_is_no_catalogue_and_a_newer_one_is_left_alone(full):
    path = full / CATALOGUE
    path.unlink()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE mine (x)")
    db.close()
    assert len(known(full)[0]) == 5
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(InputError, match="newer subtalar"):
        known(full)
    assert path.exists()


def test_what_vanishes_is_missing_and_what_returns_is_back(full, tmp_path):
    before = known(full)
    moved = tmp_path / "moved.mcap"
    shutil.move(full / "a.mcap", moved)
    stick = tmp_path / "stick"
    stick.rename(tmp_path / "pulled")
    states = {s.path.name: s.state for s in known(full)[0]}
    assert states == {
        "a.mcap": "missing",
        "ö.mcap": "closed",
        "c.mcap": "open",
        "d.mcap": "closed",
        "e.mcap": "missing",
    }
    shutil.move(moved, full / "a.mcap")
    (tmp_path / "pulled").rename(stick)
    assert known(full) == before


def test_a_moved_recordings_folder_keeps_its_catalogue(full, tmp_path):
    before = known(full)
    moved = tmp_path / "moved folder"
    full.rename(moved)
    sessions, people, _ = known(moved)
    assert [s.path.relative_to(moved) for s in sessions[:4]] == [s.path.relative_to(full) for s in before[0][:4]]
    assert [s.state for s in sessions] == [s.state for s in before[0]]
    assert people == before[1]


def test_what_was_said_wrongly_is_said_anew_beside_the_recording(full):
    path = full / "d.mcap"
    bytes_before = path.read_bytes()
    write_sidecar(full, path, Assignment("P009", "", "barefoot"))
    assert path.read_bytes() == bytes_before
    assert read_assignment(full, path) == Assignment("P009", "", "barefoot")
    assert [s.path.name for s in known(full, participant="P009")[0]] == ["d.mcap"]
    (full / CATALOGUE).unlink()
    assert [s.path.name for s in known(full, participant="P009")[0]] == ["d.mcap"]
    with pytest.raises(InputError, match="There is no"):
        write_sidecar(full, full / "nothing.mcap", Assignment("P009"))


def test_a_salvaged_recording_says_so(full):
    write_sidecar(full, full / "c.mcap", salvaged=True)
    session = known(full, participant="P002")[0][0]
    assert session.state == "salvaged"
    assert session.assignment == Assignment("P002", "", "barefoot")


def test_damaged_small_files_are_said_and_cost_nothing_else(full):
    (full / "a.mcap.about.json").write_text("{")
    (full / "participants" / "P003.json").write_text('{"version": 1, "code": "P003", "height_m": 180}')
    with (full / f"a.mcap{NOTES_SUFFIX}").open("a") as file:
        file.write('{"text": "cut off')
    add_session_note(full / "d.mcap", "good")
    next((full / LINKS).iterdir()).write_bytes(b"\xff")
    (full / "junk.mcap").write_bytes(b"")
    sessions, people, problems = known(full)
    assert sorted(s.path.name for s in sessions) == ["a.mcap", "c.mcap", "d.mcap", "e.mcap", "ö.mcap"]
    assert [p.participant.code for p in people] == ["P001", "P002", "P003"]
    assert len(problems) == 4, problems
    for word in ("a.mcap.about.json is damaged", "P003.json does not describe", "junk.mcap", f"{LINKS}/"):
        assert any(word in t for t in problems), word


def test_a_note_after_a_line_that_was_cut_off_is_whole(full):
    path = full / f"d.mcap{NOTES_SUFFIX}"
    path.write_text('{"text": "cut of')
    add_session_note(full / "d.mcap", "second\nline \x1b[31m")
    notes = known(full, search="second")[0][0].notes
    assert notes[0].text == "second\nline \x1b[31m"
    assert "cannot be read" in notes[1].text


def test_every_file_is_its_owners_alone(full):
    before = os.umask(0)
    try:
        known(full)
        add_session_note(full / "d.mcap", "x")
        write_sidecar(full, full / "d.mcap", Assignment("P1"))
        with open_catalogue(full) as catalogue:
            update_participant(catalogue, "P5", note="y")
            names = {p.name for p in full.iterdir()}
            assert {f"{CATALOGUE}-wal", f"{CATALOGUE}-shm"} <= names
            if sys.platform != "win32":
                for path in full.rglob("*"):
                    loose = stat.S_IMODE(path.stat().st_mode) & 0o077
                    assert not loose or path.name == "sub folder", path
    finally:
        os.umask(before)


def test_a_catalogue_that_is_in_use_is_said_within_the_time(full):
    known(full)
    other = sqlite3.connect(full / CATALOGUE, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        write_sidecar(full, full / "d.mcap", Assignment("P1"))
        with pytest.raises(InputError, match="in use by another program"), open_catalogue(full, timeout_s=0.1):
            pass
    finally:
        other.close()
    assert known(full, participant="P1")[0]


def test_a_recording_that_never_began_leaves_nothing(full):
    with open_catalogue(full) as catalogue:
        catalogue.add_upcoming(full / "new.mcap", Assignment("P050", "v", "c"), "2026-01-01T00:00:00+00:00")
        assert [s.state for s in catalogue.sessions("P050")] == ["open"]
        catalogue.refresh_session(full / "new.mcap")
        assert catalogue.sessions("P050") == []
        catalogue.refresh()
    assert "P050" not in [p.participant.code for p in known(full)[1]]


def test_a_recording_that_another_program_is_only_beginning_is_left_alone(full):
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with open_catalogue(full) as catalogue, open_catalogue(full) as other:
        catalogue.add_upcoming(full / "new.mcap", Assignment("P050", "v", "c"), now)
        other.refresh()
        assert [s.state for s in catalogue.sessions("P050")] == ["open"]
    with open_catalogue(full) as catalogue:
        catalogue.add_upcoming(full / "old.mcap", Assignment("P051", "v", "c"), "2026-01-01T00:00:00+00:00")
        catalogue.refresh()
        assert catalogue.sessions("P051") == []


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from subtalar.session.catalogue import Assignment, add_session_note, open_catalogue
from subtalar.session.catalogue.participants import update_participant
folder, mine = Path(sys.argv[1]), sys.argv[2]
for k in range(12):
    with open_catalogue(folder, timeout_s=60) as catalogue:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        catalogue.add_upcoming(folder / f"{mine}{k}.mcap", Assignment(f"P{mine}{k}"), now)
        assert catalogue.sessions(f"P{mine}{k}"), k
        update_participant(catalogue, "P7", **({"height_m": 1.5 + k / 100} if mine == "1" else {"footwear": f"s{k}"}))
    add_session_note(folder / "a.mcap", f"{mine} {k}")
"""


def test_two_processes_write_at_once(folder, record):
    record(folder / "a.mcap", "P001")
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, folder, name], stderr=subprocess.PIPE, text=True)
        for name in ("1", "2")
    ]
    for writer in writers:
        _, err = writer.communicate(timeout=120)
        assert writer.returncode == 0, err
    sessions, people, problems = known(folder)
    assert problems == ()
    assert sorted(n.text for n in sessions[0].notes) == sorted(f"{m} {k}" for m in "12" for k in range(12))
    person = next(p.participant for p in people if p.participant.code == "P7")
    assert (person.height_m, person.footwear) == (1.61, "s11")


def test_two_processes_mend_a_damaged_catalogue_at_once(full):
    before = known(full)
    (full / CATALOGUE).write_bytes(b"rubbish" * 5000)
    code = (
        "import sys; from pathlib import Path; from subtalar.session.catalogue import open_catalogue\n"
        "with open_catalogue(Path(sys.argv[1]), timeout_s=60) as c: assert len(c.sessions()) == 5"
    )
    menders = [
        subprocess.Popen([sys.executable, "-c", code, full], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for mender in menders:
        _, err = mender.communicate(timeout=120)
        assert mender.returncode == 0, err
    assert known(full) == before
