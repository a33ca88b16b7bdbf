"""A file that is replaced whole or not at all."""

import os
import stat
import sys
from pathlib import Path

import pytest

from subtalar.atomic_file import replacing


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with replacing(path) as file:
        file.write("new\n")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_bytes() == b"new\n"
    assert list(tmp_path.iterdir()) == [path]


def test_where_the_body_fails_nothing_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(str(1 / 0))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_a_private_file_is_its_owners_alone_and_another_has_the_usual_rights(tmp_path: Path) -> None:
    with replacing(tmp_path / "private"):
        pass
    with replacing(tmp_path / "usual", private=False):
        pass
    (tmp_path / "by open").touch()
    rights = {p.name: stat.S_IMODE(os.stat(p).st_mode) for p in tmp_path.iterdir()}
    assert rights["private"] == 0o600
    assert rights["usual"] == rights["by open"]
