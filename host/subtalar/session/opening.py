"""Find out what a path is, and open it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from subtalar.errors import InputError
from subtalar.session.importing.formats import described_tables, movella_dot, mt_manager, raw_folder, ximu3
from subtalar.session.importing.sites import SPEC_NAME
from subtalar.session.model import MINIMUM_DURATION_S, Session
from subtalar.session.recording.read.container import MAGIC, begins_damaged
from subtalar.session.recording.read.reader import open_recording

_KINDS = (
    "a recording (.mcap), a folder with session.json, a folder of exports of Movella DOT, x-IMU3 or MT Manager, or a "
    "folder with tables that an import.toml describes"
)

_ZIP_MAGIC = b"PK\x03\x04"


def open_session(path: str | Path, *, minimum_s: float = MINIMUM_DURATION_S, cached: bool = False) -> Session:
    """Open a recording, a raw session folder or the exports of other software (``docs/import.md``).

    ``cached``: keep the samples of a long recording in the user's cache, so that it opens in a second the next time.

    Recordings are not read into memory; tables are. Raises InputError, in one sentence, for whatever keeps
    the session from being used, a duration below ``minimum_s`` included.
    """
    if isinstance(path, str) and not path.strip():  # as a path that would be the current folder
        raise InputError(f"The name of the session is empty: give {_KINDS}.")
    path = Path(path).expanduser()
    _refuse_encrypted(path)
    try:
        if path.is_dir():
            return _open_folder(path, minimum_s)
        if path.is_file():
            return _open_file(path, minimum_s, cached=cached)
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


def _refuse_encrypted(path: Path) -> None:
    from subtalar.session.catalogue.layout import decryption_hint  # which asks this module what a recording is

    sentence = decryption_hint(path)
    if sentence:
        raise InputError(sentence)


def is_recording(path: Path) -> bool:
    """Whether this is a file that begins like a recording, or is named like one and goes on like one."""
    try:
        if not path.is_file():  # opening a named pipe would wait for its other end
            return False
        with path.open("rb") as file:
            begins = file.read(len(MAGIC)) == MAGIC
        return begins or (path.suffix == ".mcap" and begins_damaged(path))
    except OSError:
        return False


def is_session_folder(folder: Path) -> bool:
    """Whether this folder is a session, and not one that holds some. Raises OSError where it cannot be looked into."""
    return _opener(folder) is not None


def _open_file(path: Path, minimum_s: float, *, cached: bool) -> Session:
    if path.name in (raw_folder.FILE_NAME, SPEC_NAME):
        return _open_folder(path.resolve().parent, minimum_s)
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start == MAGIC or (start and path.suffix == ".mcap" and begins_damaged(path)):
        return open_recording(path, minimum_s=minimum_s, cached=cached)
    if not start:
        raise InputError(f"{path} is an empty file: nothing was recorded in it.")
    if described_tables.is_mapping(path):
        return described_tables.open_described_tables(path.resolve(), minimum_s)
    if path.suffix == ".mcap":
        raise InputError(
            f"{path} is named like a recording but does not begin like one: it is damaged or another format."
        )
    if start.startswith(_ZIP_MAGIC):
        raise InputError(f"{path} is a packed archive or a workbook: unpack or export it, and name the folder.")
    if path.suffix.lower() == ".ximu3":
        raise InputError(f"{path} is a raw x-IMU3 log: convert it to CSV with its software, and name that folder.")
    if path.name in ximu3.FILE_NAMES or movella_dot.is_export(path):
        raise InputError(f"{path} is the table of one sensor: name the folder that holds all sensors of the session.")
    raise InputError(f"{path} is not a session: give {_KINDS}.")


def _opener(folder: Path) -> Callable[[float], Session] | None:
    """What opens this folder, given the shortest duration; None where it is no session."""
    if (folder / raw_folder.FILE_NAME).is_file():
        return partial(raw_folder.open_raw_folder, folder)
    for name in described_tables.FILE_NAMES:
        if (folder / name).is_file():
            return partial(described_tables.open_described_tables, folder / name)
    if devices := ximu3.device_files(folder):
        return partial(ximu3.open_ximu3, folder, devices)
    if tables := movella_dot.export_files(folder):
        return partial(movella_dot.open_movella_dot, folder, tables)
    if (folder / SPEC_NAME).is_file():
        return partial(mt_manager.open_mt_manager, folder)
    return None


def _open_folder(folder: Path, minimum_s: float) -> Session:
    if all((folder / name).is_file() for name in described_tables.FILE_NAMES):
        raise InputError(f"{folder} holds {' and '.join(described_tables.FILE_NAMES)}: keep one of them.")
    opener = _opener(folder)
    if opener is not None:
        return opener(minimum_s)
    exports = mt_manager.export_files(folder)
    if exports:
        mt_manager.read_export(exports[0])
        raise InputError(
            f"{folder} holds MT Manager exports but no {SPEC_NAME}: add one that names the sensors, such as "
            '{"left_foot": "00B4778E.txt", "left_shank": "00B47786.txt"}.'
        )
    raise InputError(_what_is_missing(folder))


def _what_is_missing(folder: Path) -> str:
    entries = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    recordings = [name for name in entries if name.endswith(".mcap")]
    if recordings:
        return f"{folder} is a folder of recordings: name one of them, such as {recordings[-1]}."
    if not entries:
        return f"{folder} is an empty folder: give {_KINDS}."
    tables = [name for name in entries if name.lower().endswith((".csv", ".csv.gz", ".tsv", ".txt"))]
    if tables:
        return (
            f"{folder} has no {raw_folder.FILE_NAME}, and {tables[0]} is no table that is known by itself: describe it "
            f"in a file {described_tables.FILE_NAMES[0]} beside it (docs/import.md shows one to copy)."
        )
    return f"{folder} has no {raw_folder.FILE_NAME}: give {_KINDS}."
