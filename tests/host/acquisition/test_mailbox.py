"""Commands for a session whose window is gone."""

import os
import tempfile

import pytest

from subtalar.acquisition import mailbox
from subtalar.acquisition.ring_segment import live_folder


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return live_folder()


def test_commands_come_once_in_order_and_to_their_session_only(folder):
    for k in range(12):
        mailbox.put("subtalar-a", "mark", f"Schritt {k}")
    mailbox.put("subtalar-b", "stop")
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
    assert mailbox.take("subtalar-a") == [("mark", f"Schritt {k}") for k in range(12)]
    assert mailbox.take("subtalar-a") == []
    assert mailbox.take("subtalar-b") == [("stop", "")]
    assert not list(folder.iterdir())


@pytest.mark.parametrize("junk", [b"", b"{", b"go\n1", b"stop \n", b"\xff\xfe", b"mark\n" + b" " * 20_000])
def test_junk_is_thrown_away_and_does_not_keep_back_what_follows(folder, junk):
    (folder / "subtalar-a-0-0.letter").write_bytes(junk)
    mailbox.put("subtalar-a", "mark", "x")
    assert mailbox.take("subtalar-a") == [("mark", "x")]
    assert not list(folder.iterdir())


def test_what_is_still_being_written_is_left_alone(folder):
    (folder / "subtalar-a-0-0.draft").write_bytes(b'["ma')
    assert mailbox.take("subtalar-a") == []
    assert os.listdir(folder) == ["subtalar-a-0-0.draft"]
