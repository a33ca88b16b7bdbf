"""Find out what a path is, and open it."""

from pathlib import Path

from subtalar.errors import InputError
from subtalar.session.importing import mt_manager, raw_folder
from subtalar.session.importing.table import read_table
from subtalar.session.model import MINIMUM_DURATION_S, Session
from subtalar.session.recording.container import MAGIC
from subtalar.session.recording.reader import open_recording

_KINDS = "a recording (.mcap), a folder with session.json, or a folder of MT Manager text exports with sensorspec.json"


def open_session(path: str | Path, *, minimum_s: float = MINIMUM_DURATION_S) -> Session:
    """Open a recording, a raw session folder or a folder of MT Manager exports.

    Recordings are not read into memory; folders of text are. Raises InputError, in one sentence, for whatever keeps
    the session from being used, a duration below ``minimum_s`` included.
    """
    path = Path(path).expanduser()
    try:
        if path.is_dir():
            return _open_folder(path, minimum_s)
        if path.is_file():
            return _open_file(path, minimum_s)
        exists = path.exists()
    except PermissionError as error:
        raise InputError(f"{error.filename or path} may not be read: ask for the right to read it.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    if exists:
        raise InputError(f"{path} is neither a file nor a folder: give {_KINDS}.")
    if path.is_symlink():
        raise InputError(f"{path} is a link that leads nowhere: name what it should point to.")
    raise InputError(f"There is no {path}: check the name and the folder.")


def is_recording(path: Path) -> bool:
    """Whether this is a file that begins like a recording."""
    try:
        if not path.is_file():  # opening a named pipe would wait for its other end
            return False
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def is_session_folder(folder: Path) -> bool:
    """Whether this folder is a session, and not one that holds some."""
    return any((folder / name).is_file() for name in (raw_folder.FILE_NAME, mt_manager.SPEC_NAME))


def _open_file(path: Path, minimum_s: float) -> Session:
    if path.name in (raw_folder.FILE_NAME, mt_manager.SPEC_NAME):
        return _open_folder(path.resolve().parent, minimum_s)
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start == MAGIC:
        return open_recording(path, minimum_s=minimum_s)
    if not start:
        raise InputError(f"{path} is an empty file: nothing was recorded in it.")
    if path.suffix == ".mcap":
        raise InputError(
            f"{path} is named like a recording but does not begin like one: it is damaged or another format."
        )
    raise InputError(f"{path} is not a session: give {_KINDS}.")


def _open_folder(folder: Path, minimum_s: float) -> Session:
    if (folder / raw_folder.FILE_NAME).is_file():
        return raw_folder.open_raw_folder(folder, minimum_s)
    if (folder / mt_manager.SPEC_NAME).is_file():
        return mt_manager.open_mt_manager(folder, minimum_s)
    exports = mt_manager.export_files(folder)
    if exports:
        mt_manager.check_columns(read_table(exports[0], delimiter="\t", comment="//"))
        raise InputError(
            f"{folder} holds MT Manager exports but no {mt_manager.SPEC_NAME}: add one that names the sensors, such as "
            '{"leftfoot": "00B4778E.txt", "leftshank": "00B47786.txt"}.'
        )
    entries = sorted(p.name for p in folder.iterdir())
    recordings = [name for name in entries if name.endswith(".mcap")]
    if recordings:
        raise InputError(f"{folder} is a folder of recordings: name one of them, such as {recordings[-1]}.")
    if not entries:
        raise InputError(f"{folder} is an empty folder: give {_KINDS}.")
    raise InputError(f"{folder} has no {raw_folder.FILE_NAME}: give {_KINDS}.")
