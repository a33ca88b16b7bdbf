"""A folder for results: they appear in it together at the end, or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from subtalar.errors import InputError
from subtalar.session.durable_file import locked

_UNFINISHED = ".subtalar-unfinished"
_LOCK = ".subtalar-unfinished.lock"


@contextmanager
def staging(out_dir: Path) -> Iterator[Path]:
    """A hidden folder inside ``out_dir``; both go again if nothing came of it. OS errors become one sentence.

    Raises InputError where the folder cannot be used or another process writes to it.
    """
    made: list[Path] = []
    hidden = out_dir / _UNFINISHED
    try:
        if out_dir.exists() and not out_dir.is_dir():
            raise InputError(f"{out_dir} is a file, and the results need a folder: name another one with --out.")
        made = [folder for folder in (out_dir, *out_dir.parents) if not folder.exists()]
        out_dir.mkdir(parents=True, exist_ok=True)
        with locked(out_dir / _LOCK) as alone:
            if not alone:
                raise InputError(
                    f"Another analysis is writing to {out_dir} at this moment: wait for its end, or name another "
                    "folder with --out."
                )
            try:
                if hidden.is_dir():
                    shutil.rmtree(hidden)  # an earlier analysis was killed
                hidden.mkdir()
                yield hidden
            finally:
                shutil.rmtree(hidden, ignore_errors=True)
    except OSError as error:
        raise InputError(
            f"The results cannot be written to {out_dir} ({error.strerror or error}): "
            "check the free space and the right to write there, or name another folder with --out."
        ) from error
    finally:
        for folder in made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
