"""Commands for a session whose window is gone."""

import os
import tempfile

import pytest

from subtalar.acquisition.commands import Mark, RecordTo, SetOwner, Stop, mailbox
from subtalar.acquisition.process import RunningSession
from subtalar.acquisition.ring.live_folder import live_folder
from subtalar.acquisition.ring.segment import clean_stale


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return live_folder()


def test_commands_come_once_in_order_and_to_their_session_only(folder):
    for k in range(12):
        mailbox.post("subtalar-a", Mark(f"Schritt {k}"))
    mailbox.post("subtalar-b", Stop())
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
    assert mailbox.collect("subtalar-a") == [Mark(f"Schritt {k}") for k in range(12)]
    assert mailbox.collect("subtalar-a") == []
    assert mailbox.collect("subtalar-b") == [Stop()]
    assert not list(folder.iterdir())


@pytest.mark.parametrize("junk", [b"", b"{", b"go\n1", b"stop \n", b"\xff\xfe", b"mark\n" + b" " * 30_000])
def test_junk_is_thrown_away_and_does_not_keep_back_what_follows(folder, junk):
    (folder / "subtalar-a.0-0.mail").write_bytes(junk)
    mailbox.post("subtalar-a", Mark("x"))
    assert mailbox.collect("subtalar-a") == [Mark("x")]
    assert not list(folder.iterdir())


def test_what_is_still_being_written_is_left_alone(folder):
    (folder / "subtalar-a.0-0.draft.mail").write_bytes(b'["ma')
    assert mailbox.collect("subtalar-a") == []
    assert os.listdir(folder) == ["subtalar-a.0-0.draft.mail"]


def test_a_name_that_begins_like_another_takes_nothing_of_its_mail(folder):
    mailbox.post("subtalar-a", Mark("x"))
    assert mailbox.collect("subtalar") == mailbox.collect("subtalar-") == []
    assert mailbox.collect("subtalar-a") == [Mark("x")]


@pytest.mark.parametrize("text", ["x" * 50_000, "ü" * 50_000, "🦶" * 50_000])
def test_a_very_long_text_is_cut_and_arrives(folder, text):
    mailbox.post("subtalar-a", Mark(text))
    (command,) = mailbox.collect("subtalar-a")
    assert isinstance(command, Mark)
    arrived = command.text
    assert len(arrived) >= 1000
    assert text.startswith(arrived)


def test_lines_and_broken_letters_arrive_as_text(folder):
    mailbox.post("subtalar-a", Mark("one\ntwo \udcff"))
    assert mailbox.collect("subtalar-a") == [Mark("one\ntwo ?")]


def test_mail_of_a_session_that_is_gone_is_cleared_away_and_that_of_a_live_one_is_not(folder):
    mailbox.post("subtalar-gone", Mark("x"))
    (folder / "subtalar-gone.0-0.draft.mail").write_bytes(b"ma")
    mailbox.post("subtalar-live", Mark("y"))
    (folder / "subtalar-live.lock").touch()  # its owner is just about to lock it
    clean_stale()
    assert mailbox.collect("subtalar-gone") == []
    assert mailbox.collect("subtalar-live") == [Mark("y")]
    assert os.listdir(folder) == ["subtalar-live.lock"]


def test_whatever_else_lies_there_stops_no_start(folder):
    (folder / ".mail").touch()
    (folder / "a b.mail").touch()
    (folder / "subtalar-gone.x.mail").mkdir()
    assert clean_stale() == ()


def test_a_session_that_has_ended_takes_no_commands(folder):
    session = RunningSession("subtalar-ended", 1)
    for command in (Mark("x"), RecordTo("x"), SetOwner("P017")):
        with pytest.raises(OSError, match="subtalar-ended has ended"):
            session.send(command)
    assert not os.listdir(folder)
