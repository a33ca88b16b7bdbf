"""Where recordings go: in homes of every kind, with what earlier versions left there."""

import os
import platform
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import platformdirs
import pytest
from platformdirs.macos import MacOS
from platformdirs.windows import Windows

from subtalar import places
from subtalar.errors import InputError, RecordingError
from subtalar.session import checkout_around, default_recording_path, earlier_folders, recordings_folder
from subtalar.session.paths import FOLDER_NAME, sessions_in

ROOT = Path(__file__).parents[3]
LINUX_ONLY = pytest.mark.skipif(platform.system() != "Linux", reason="the places of Linux")
MAGIC = b"\x89MCAP0\r\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with documents, in which nobody has said anything."""
    for name in [name for name in os.environ if name.startswith("XDG_") or name == "SUBTALAR_RECORDINGS"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "Documents").mkdir(parents=True)
    return tmp_path / "home"


def clone(folder: Path) -> Path:
    """What ``git clone`` makes, as far as it matters."""
    (folder / "host" / "subtalar").mkdir(parents=True)
    (folder / "host" / "subtalar" / "__init__.py").touch()
    (folder / "pyproject.toml").touch()
    (folder / ".git").mkdir()
    (folder / "tests" / "vectors").mkdir(parents=True)
    (folder / "tests" / "vectors" / "recording_version_1.mcap").write_bytes(MAGIC)
    return folder


def recording(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(MAGIC)
    return path


pytestmark = LINUX_ONLY


def test_new_recordings_go_to_the_documents(home: Path) -> None:
    assert recordings_folder() == home / "Documents" / FOLDER_NAME
    assert not recordings_folder().exists()
    path = default_recording_path(datetime(2026, 11, 21, 14, 5, 9))
    assert path == home / "Documents" / FOLDER_NAME / "2026-11-21_14-05-09.mcap"
    assert path.parent.stat().st_mode & 0o077 == 0


def test_the_documents_have_the_name_that_the_desktop_gave_them(home: Path) -> None:
    (home / "Dokumente").mkdir()
    (home / ".config").mkdir()
    (home / ".config" / "user-dirs.dirs").write_text('XDG_DOCUMENTS_DIR="$HOME/Dokumente"\n')
    assert recordings_folder() == home / "Dokumente" / FOLDER_NAME


@pytest.mark.parametrize("trouble", ["none", "a file", "dangling", "unwritable"])
def test_without_usable_documents_they_are_out_of_sight(home: Path, trouble: str, monkeypatch) -> None:
    documents = home / "Documents"
    if trouble == "unwritable":
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != documents)
    else:
        documents.rmdir()
    if trouble == "a file":
        documents.touch()
    if trouble == "dangling":
        documents.symlink_to(home / "gone")
    there = home / ".local" / "share" / "subtalar" / "recordings"
    assert recordings_folder() == there
    recording(default_recording_path(datetime(2026, 1, 1)))
    # Documents that appear later hide nothing.
    if trouble in ("none", "a file", "dangling"):
        documents.unlink(missing_ok=True)
        documents.mkdir()
    assert recordings_folder() == there


def test_a_file_in_the_place_of_the_folder(home: Path) -> None:
    (home / "Documents" / FOLDER_NAME).touch()
    assert recordings_folder() == home / ".local" / "share" / "subtalar" / "recordings"


@pytest.mark.parametrize("content", ["2026.mcap", "visit 1/2026.mcap", "a.mcap.encrypted.tar", "catalogue.sqlite"])
def test_an_earlier_folder_is_used_on(home: Path, content: str) -> None:
    recording(home / "subtalar" / content)
    assert recordings_folder() == home / "subtalar"
    assert earlier_folders() == ()


@pytest.mark.parametrize("content", ["", "notes.txt"])
def test_somebody_elses_folder_of_that_name_is_none(home: Path, content: str) -> None:
    (home / "subtalar").mkdir()
    if content:
        (home / "subtalar" / content).touch()
    assert recordings_folder() == home / "Documents" / FOLDER_NAME


def test_a_checkout_is_never_taken(home: Path) -> None:
    checkout = clone(home / "subtalar")
    (checkout / "catalogue.sqlite").touch()  # of an earlier `session list`
    assert recordings_folder() == home / "Documents" / FOLDER_NAME
    assert earlier_folders() == ()
    assert checkout_around(checkout / "not" / "yet") == checkout
    assert checkout_around(home) is None


def test_recordings_in_a_checkout_are_listed_and_new_ones_go_elsewhere(home: Path) -> None:
    checkout = clone(home / "subtalar")
    path = recording(checkout / "2026.mcap")
    assert recordings_folder() == home / "Documents" / FOLDER_NAME
    assert earlier_folders() == (checkout,)
    assert list(sessions_in(checkout)) == [path]


def test_documents_within_a_checkout_are_passed_over(home: Path) -> None:
    (home / "Documents").rmdir()
    clone(home / "src")
    (home / "src" / "papers").mkdir()
    (home / "Documents").symlink_to(home / "src" / "papers")
    assert recordings_folder() == home / ".local" / "share" / "subtalar" / "recordings"


def test_a_home_that_is_a_checkout_has_no_place(home: Path) -> None:
    clone(home)
    with pytest.raises(RecordingError, match="our own source: set SUBTALAR_RECORDINGS"):
        recordings_folder()


def test_what_may_not_be_looked_into_is_passed_over(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.stat

    def stat(path, *args, **kwargs):
        if str(path).startswith(str(home / "Documents" / FOLDER_NAME)):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != home / "Documents")
    assert recordings_folder() == home / ".local" / "share" / "subtalar" / "recordings"


def test_what_is_said_is_done_even_in_a_checkout(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = clone(home / "subtalar")
    recording(checkout / "2026.mcap")
    monkeypatch.setenv("SUBTALAR_RECORDINGS", str(checkout / "recordings"))
    assert recordings_folder() == checkout / "recordings"
    assert earlier_folders() == ()
    monkeypatch.setenv("SUBTALAR_RECORDINGS", "~/lab")
    assert recordings_folder() == home / "lab"
    monkeypatch.chdir(home)
    monkeypatch.setenv("SUBTALAR_RECORDINGS", "lab")
    assert recordings_folder() == home / "lab"
    monkeypatch.setenv("SUBTALAR_RECORDINGS", "~nobody-of-that-name/lab")
    with pytest.raises(RecordingError, match="without ~"):
        recordings_folder()


def test_of_two_folders_the_new_one_is_used_and_the_other_listed(home: Path) -> None:
    recording(home / "subtalar" / "old.mcap")
    recording(home / "Documents" / FOLDER_NAME / "new.mcap")
    assert recordings_folder() == home / "Documents" / FOLDER_NAME
    assert earlier_folders() == (home / "subtalar",)


def test_where_nobody_has_a_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def nobody(_: int) -> None:
        raise KeyError("no such user")

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(RecordingError, match="where your home is: set SUBTALAR_RECORDINGS"):
        recordings_folder()
    for folder in (places.settings_folder, places.data_folder, places.cache_folder, places.documents_folder):
        with pytest.raises(InputError, match="HOME"):
            folder()
    from subtalar.session.recording.read import sample_cache as cache

    monkeypatch.delenv("SUBTALAR_CACHE", raising=False)
    assert cache.find(ROOT / "tests" / "vectors" / "recording_version_1.mcap") is None
    assert cache.forget(paths=[ROOT / "pyproject.toml"]) == 0


def test_without_the_variable_the_home_is_that_of_the_user(home: Path) -> None:
    code = "from subtalar.session import recordings_folder; print(recordings_folder())"
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    import pwd

    assert done.stdout.startswith(pwd.getpwuid(os.getuid()).pw_dir)


@pytest.mark.parametrize(
    ("system", "settings", "data"),
    [
        (MacOS, "Library/Application Support/subtalar", "Library/Application Support/subtalar"),
        (Windows, "Roaming/subtalar", "Local/subtalar"),
    ],
)
def test_other_systems_have_places_of_their_own(home: Path, monkeypatch, system, settings: str, data: str) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", system)
    folders = {"CSIDL_APPDATA": "Roaming", "CSIDL_LOCAL_APPDATA": "Local", "CSIDL_PERSONAL": "Documents"}
    monkeypatch.setattr("platformdirs.windows.get_win_folder", lambda name: str(home / folders[name]))
    assert places.settings_folder() == home / settings
    assert places.data_folder() == home / data
    assert places.documents_folder() == home / "Documents"
