"""A clone in the place where an earlier version recorded: all is listed on, erased in full, and moved when asked."""

import os
from pathlib import Path

import pytest

from subtalar.errors import InputError
from subtalar.session import earlier_folders, recordings_folder
from subtalar.session.catalogue import (
    Assignment,
    add_session_note,
    is_catalogued,
    link_results,
    link_session,
    open_catalogue,
    write_sidecar,
)
from subtalar.session.catalogue.erase import erase, plan_participant
from subtalar.session.catalogue.participants import update_participant
from subtalar.session.catalogue.takeover import move_here

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a home as on Linux")
CODE = "QX774"


@pytest.fixture
def old(record, tmp_path, monkeypatch) -> Path:
    """``~/subtalar`` as an earlier version used it, and as ``git clone`` made it."""
    for name in [n for n in os.environ if n.startswith("XDG_") or n == "SUBTALAR_RECORDINGS"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "Documents").mkdir(parents=True)
    old = tmp_path / "home" / "subtalar"
    record(old / "a.mcap", CODE, "baseline")
    add_session_note(old / "a.mcap", "felt well; zebra")
    record(old / "visits" / "b.mcap", "P1", day=1)
    write_sidecar(old, old / "visits" / "b.mcap", Assignment(CODE, "six weeks"))
    elsewhere = record(tmp_path / "stick" / "c.mcap", CODE, day=2)
    link_session(old, elsewhere)
    results = tmp_path / "results"
    results.mkdir()
    (results / "angles.csv").write_text("x")
    link_results(old, old / "a.mcap", results, ["angles.csv"])
    with open_catalogue(old) as catalogue:
        update_participant(catalogue, CODE, height_m=1.7, note="fears zebra crossings")
    (old / "host" / "subtalar").mkdir(parents=True)
    (old / "host" / "subtalar" / "__init__.py").touch()
    (old / "pyproject.toml").touch()
    record(old / "tests" / "vectors" / "not a person.mcap")
    return old


def listed() -> dict[str, tuple[str, str, str]]:
    with open_catalogue() as catalogue:
        said = [trouble for trouble in catalogue.problems if "subtalar recordings --move" not in trouble]
        assert said == []
        return {r.path.name: (str(r.path.parent), r.assignment.participant, r.state) for r in catalogue.sessions()}


def test_everything_is_listed_on(old, tmp_path):
    assert recordings_folder() == tmp_path / "home" / "Documents" / "subtalar-recordings"
    wanted = {
        "a.mcap": (str(old), CODE, "closed"),
        "b.mcap": (str(old / "visits"), CODE, "closed"),
        "c.mcap": (str(tmp_path / "stick"), CODE, "closed"),
    }
    assert listed() == wanted
    assert listed() == wanted
    with open_catalogue() as catalogue:
        person = catalogue.participant(CODE)
        assert person.participant.height_m == 1.7
        assert [note.text for note in person.notes] == ["fears zebra crossings"]
        assert person.visits == ("baseline", "six weeks")
        (row,) = catalogue.sessions(search="zebra well")
        assert row.path == old / "a.mcap"


def test_that_there_are_two_places_is_said_once(old):
    for sentences in (1, 0):
        with open_catalogue() as catalogue:
            assert len(catalogue.problems) == sentences
            assert all(str(old) in trouble for trouble in catalogue.problems)


def test_nothing_of_people_is_left_beside_the_source_but_their_recordings(old):
    listed()
    assert sorted(p.name for p in old.iterdir()) == [
        *("a.mcap", "a.mcap.notes.jsonl", "host", "pyproject.toml", "tests", "visits"),
    ]


def test_new_results_of_a_recording_there_are_known(old, tmp_path):
    assert is_catalogued(recordings_folder(), old / "a.mcap")
    assert not is_catalogued(recordings_folder(), tmp_path / "strangers.mcap")


def test_a_participant_is_erased_wherever_the_recordings_are(old, tmp_path):
    with open_catalogue() as catalogue:
        assert erase(catalogue, plan_participant(catalogue, CODE)) == []
    left = [
        p for p in tmp_path.rglob("*") if p.is_file() and (b"QX774" in p.read_bytes() or b"zebra" in p.read_bytes())
    ]
    assert left == []
    assert not (tmp_path / "results" / "angles.csv").exists()
    assert listed() == {}
    assert (old / "tests" / "vectors" / "not a person.mcap").exists()


def test_moving_takes_everything_along(old, tmp_path):
    folder = recordings_folder()
    (old / "a.mcap.report").mkdir()
    (old / "a.mcap.report" / "report.html").write_text("x")
    (old / ".a.mcap.salvaged").write_text("left by a killed program")
    with open_catalogue() as catalogue:
        moved = move_here(catalogue, old)
        assert sorted(moved.paths) == [folder / "a.mcap", folder / "visits" / "b.mcap"]
        assert moved.left == ()
        plan = plan_participant(catalogue, CODE)
    assert listed() == {
        "a.mcap": (str(folder), CODE, "closed"),
        "b.mcap": (str(folder / "visits"), CODE, "closed"),
        "c.mcap": (str(tmp_path / "stick"), CODE, "closed"),
    }
    assert tmp_path / "results" / "angles.csv" in plan.paths
    assert (folder / "a.mcap.report" / "report.html").exists()
    assert not list(old.rglob("*a.mcap*"))
    assert earlier_folders() == ()
    with open_catalogue() as catalogue:
        (row,) = catalogue.sessions(search="zebra well")
        assert row.path == folder / "a.mcap"


def test_what_stands_in_the_way_is_never_overwritten(old, record):
    folder = recordings_folder()
    record(folder / "a.mcap", "P2")
    before = (folder / "a.mcap").read_bytes()
    with open_catalogue() as catalogue:
        moved = move_here(catalogue, old)
    assert moved.paths == (folder / "visits" / "b.mcap",)
    assert len(moved.left) == 1
    assert "rename one of the two" in moved.left[0]
    assert (folder / "a.mcap").read_bytes() == before
    assert (old / "a.mcap.notes.jsonl").exists()


def test_a_move_that_fails_half_way_leaves_all_where_it_was(old, monkeypatch):
    import shutil

    real = shutil.move

    def full(source, target):
        if Path(source).name.endswith(".notes.jsonl") and Path(target).parent == recordings_folder():
            raise OSError(28, "No space left on device")
        return real(source, target)

    with open_catalogue() as catalogue:
        monkeypatch.setattr(shutil, "move", full)
        with pytest.raises(InputError, match="No space left on device"):
            move_here(catalogue, old)
    assert (old / "a.mcap").exists()
    assert (old / "a.mcap.notes.jsonl").exists()
    assert listed()["a.mcap"][0] == str(old)


def test_a_person_known_in_both_places_is_one(old):
    with open_catalogue(recordings_folder().parent / "other") as catalogue:
        update_participant(catalogue, CODE, height_m=1.8, footwear="clogs", note="second word")
    recordings_folder().mkdir()
    (recordings_folder().parent / "other" / "participants").rename(recordings_folder() / "participants")
    with open_catalogue() as catalogue:
        person = catalogue.participant(CODE)
    assert (person.participant.height_m, person.participant.footwear) == (1.8, "clogs")
    assert {note.text for note in person.notes} == {"second word", "fears zebra crossings"}
    assert not (old / "participants").exists()


def test_a_damaged_file_there_is_said_and_costs_nothing_else(old):
    recordings_folder().mkdir()
    (recordings_folder() / "participants").mkdir()
    (recordings_folder() / "participants" / f"{CODE}.json").write_text("{")
    with open_catalogue() as catalogue:
        assert any(f"{CODE}.json is damaged" in trouble for trouble in catalogue.problems)
        assert len(catalogue.sessions()) == 3
    assert (old / "participants" / f"{CODE}.json").exists()
