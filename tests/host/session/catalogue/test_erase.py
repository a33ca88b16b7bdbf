"""A participant is erased: what goes is shown, all of it goes, and nothing of anybody else."""

import sqlite3

import pytest

from subtalar.errors import InputError
from subtalar.session import Recorder
from subtalar.session.catalogue import (
    Assignment,
    add_session_note,
    link_results,
    link_session,
    open_catalogue,
    write_sidecar,
)
from subtalar.session.catalogue.erase import erase, plan_participant, plan_session
from subtalar.session.catalogue.layout import CATALOGUE, ENCRYPTED_SUFFIX
from subtalar.session.catalogue.participants import update_participant

CODE = "QX774"


def bytes_with(root, text):
    """Files below the folder that hold the text in any case, in their content or their name."""
    needle = text.lower().encode()
    return [p for p in root.rglob("*") if needle in p.name.lower().encode() or _holds(p, needle)]


def _holds(path, needle):
    return path.is_file() and needle in path.read_bytes().lower()


@pytest.fixture
def full(folder, record, tmp_path):
    """Somebody with everything that there can be, and somebody else."""
    record(folder / "a.mcap", CODE, "baseline", "barefoot")
    add_session_note(folder / "a.mcap", f"{CODE} felt well; zebra")
    (folder / "a.mcap.cache.parquet").write_bytes(f"cached of {CODE}".encode())
    (folder / ".a.mcap.salvaged").write_bytes(f"left by a killed program, of {CODE}".encode())
    elsewhere = record(tmp_path / "stick" / f"{CODE} walk.mcap", CODE)
    link_session(folder, elsewhere)
    record(folder / "wrongly nobody.mcap")
    write_sidecar(folder, folder / "wrongly nobody.mcap", Assignment(CODE))
    (folder / f"sealed.mcap{ENCRYPTED_SUFFIX}").write_bytes(b"sealed")
    (folder / "sealed.mcap.about.json").write_text(f'{{"version": 1, "about": {{"participant": "{CODE}"}}}}')
    results = tmp_path / "results"
    results.mkdir()
    for name in ("angles.csv", "report.html", "mine.txt"):
        (results / name).write_text("x")
    link_results(folder, folder / "a.mcap", results, ["angles.csv", "report.html"])
    only_ours = tmp_path / "only ours"
    only_ours.mkdir()
    (only_ours / "angles.csv").write_text("x")
    link_results(folder, elsewhere, only_ours, ["angles.csv"])
    record(folder / "other.mcap", "P1", "baseline")
    add_session_note(folder / "other.mcap", "healthy")
    with open_catalogue(folder) as catalogue:
        update_participant(catalogue, CODE, height_m=1.7, footwear="clogs", note="fears zebra crossings")
        update_participant(catalogue, "P1", height_m=1.8)
    return folder


def erase_all(folder):
    with open_catalogue(folder) as catalogue:
        return erase(catalogue, plan_participant(catalogue, CODE))


def test_no_byte_is_left(full, tmp_path):
    assert len(bytes_with(full, CODE)) >= 8
    with open_catalogue(full) as catalogue:
        others = [s for s in catalogue.sessions() if s.assignment.participant == "P1"]
    assert erase_all(full) == []
    assert bytes_with(full, CODE) == []
    assert bytes_with(full, "zebra") == []
    assert bytes_with(tmp_path, CODE) == []
    assert {p.name for p in full.iterdir() if not p.name.startswith(CATALOGUE)} == {
        "other.mcap",
        "other.mcap.notes.jsonl",
        "participants",
        "links",
        "catalogue.lock",
    }
    assert list((full / "links").iterdir()) == []
    with open_catalogue(full) as catalogue:
        assert catalogue.sessions() == others
        assert [p.participant.code for p in catalogue.participants()] == ["P1"]
    (full / CATALOGUE).unlink()
    with open_catalogue(full) as catalogue:
        assert [p.participant.code for p in catalogue.participants()] == ["P1"]


def test_results_go_and_what_stands_beside_them_stays(full, tmp_path):
    erase_all(full)
    assert [p.name for p in (tmp_path / "results").iterdir()] == ["mine.txt"]
    assert not (tmp_path / "only ours").exists()
    assert (tmp_path / "stick").is_dir()


def test_what_will_go_is_told_and_planning_removes_nothing(full):
    before = sorted(full.rglob("*"))
    with open_catalogue(full) as catalogue:
        plan = plan_participant(catalogue, CODE)
    names = {p.name for p in plan.paths}
    assert {"a.mcap", "a.mcap.notes.jsonl", "a.mcap.cache.parquet", ".a.mcap.salvaged", f"{CODE}.json"} <= names
    assert {f"{CODE}.notes.jsonl", f"{CODE} walk.mcap", "angles.csv", f"sealed.mcap{ENCRYPTED_SUFFIX}"} <= names
    assert "other.mcap" not in names
    assert "mine.txt" not in names
    assert len(plan.sessions) == 4
    assert sorted(full.rglob("*")) == before


def test_what_cannot_be_erased_is_told(full, tmp_path, record):
    (tmp_path / "stick").rename(tmp_path / "pulled")
    record(full / "given away.mcap", CODE)
    write_sidecar(full, full / "given away.mcap", Assignment("P1"))
    add_session_note(full / "other.mcap", f"same day as {CODE}")
    with open_catalogue(full) as catalogue:
        kept = " ".join(plan_participant(catalogue, CODE).kept)
        assert f"{CODE} walk.mcap is not there now" in kept
        assert f"given away.mcap names {CODE} inside" in kept
        assert f"other.mcap.notes.jsonl speaks of {CODE}" in kept


def test_a_running_recording_and_an_unknown_code_are_refused(full, make):
    with Recorder(full / "now.mcap", make.sensors(), make.START, configuration={"about": {"participant": CODE}}):
        with open_catalogue(full) as catalogue, pytest.raises(InputError, match="being recorded"):
            plan_participant(catalogue, CODE)
        assert (full / "a.mcap").exists()
    with open_catalogue(full) as catalogue, pytest.raises(InputError, match="No participant P999"):
        plan_participant(catalogue, "P999")


def test_an_erasure_that_was_interrupted_can_be_done_again(full, monkeypatch):
    import subtalar.session.catalogue.erase as module

    real = module._remove
    removed = []

    def power_cut(path):
        if len(removed) == 5:
            raise KeyboardInterrupt
        removed.append(path)
        real(path)

    monkeypatch.setattr(module, "_remove", power_cut)
    with pytest.raises(KeyboardInterrupt):
        erase_all(full)
    monkeypatch.setattr(module, "_remove", real)
    assert bytes_with(full, CODE)
    assert erase_all(full) == []
    assert bytes_with(full, CODE) == []


def test_a_file_that_cannot_be_removed_stays_listed(full, monkeypatch):
    import subtalar.session.catalogue.erase as module

    real = module._remove

    def stubborn(path):
        if path.name == "a.mcap":
            raise PermissionError(13, "Permission denied")
        real(path)

    monkeypatch.setattr(module, "_remove", stubborn)
    (failed,) = erase_all(full)
    assert "a.mcap could not be erased" in failed
    with open_catalogue(full) as catalogue:
        assert "a.mcap" in [s.path.name for s in catalogue.sessions(CODE)]


def test_an_open_window_is_said_and_erasing_again_finishes(full):
    with open_catalogue(full):
        pass
    other = sqlite3.connect(full / CATALOGUE, isolation_level=None)
    try:
        other.execute("BEGIN")
        other.execute("SELECT * FROM sessions").fetchall()
        with (
            pytest.raises(InputError, match=r"(another open window|in use by another)"),
            open_catalogue(full, timeout_s=0.2) as catalogue,
        ):
            erase(catalogue, plan_participant(catalogue, CODE))
    finally:
        other.close()
    with open_catalogue(full) as catalogue:
        assert catalogue.sessions(CODE) == []
    assert bytes_with(full, CODE) == []


def test_one_session_alone(full):
    with open_catalogue(full) as catalogue:
        assert erase(catalogue, plan_session(catalogue, full / "a.mcap")) == []
        assert sorted(s.path.name for s in catalogue.sessions(CODE)) == [
            f"{CODE} walk.mcap",
            "sealed.mcap",
            "wrongly nobody.mcap",
        ]
        with pytest.raises(InputError, match="not in the catalogue"):
            plan_session(catalogue, full / "a.mcap")


def test_a_folder_that_was_imported_keeps_its_files(folder, raw_folder):
    session = raw_folder()
    link_session(folder, session)
    write_sidecar(folder, session, Assignment(CODE))
    with open_catalogue(folder) as catalogue:
        plan = plan_participant(catalogue, CODE)
        assert "was not made by subtalar" in " ".join(plan.kept)
        erase(catalogue, plan)
    assert (session / "session.json").exists()
    assert bytes_with(folder, CODE) == []
    assert not (session.parent / "walk.about.json").exists()


def test_a_folder_of_results_that_several_share(folder, record, tmp_path):
    mine, theirs = record(folder / "a.mcap", CODE), record(folder / "b.mcap", "P1")
    shared = tmp_path / "bids"
    shared.mkdir()
    for name in ("a.csv", "a.c3d", "b.csv", "angles.csv"):
        (shared / name).write_text("x")
    file_list = shared / ".list.json"
    file_list.write_text(f'{{"files": {{"a.csv": ["{CODE}"], "a.c3d": ["{CODE}"], "b.csv": ["P1"]}}}}')
    link_results(folder, mine, shared, ["a.csv", "angles.csv"], file_list.name)
    link_results(folder, mine, shared, ["a.c3d"], file_list.name)
    link_results(folder, theirs, shared, ["b.csv", "angles.csv"], file_list.name)  # in place of mine
    assert erase_all(folder) == []
    assert sorted(p.name for p in shared.iterdir()) == [".list.json", "angles.csv", "b.csv"]
    assert file_list.read_text().split() == ["{", '"files":', "{", '"b.csv":', "[", '"P1"', "]", "}", "}"]


def test_results_of_what_the_catalogue_need_not_know_leave_no_trace(folder, record, tmp_path):
    link_results(folder, record(tmp_path / "from somebody.mcap"), tmp_path, ["angles.csv"])
    assert not (folder / "links").exists()
