"""A small text file that is replaced whole: a reader, or a power cut, meets the old one or the new one."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def replacing(path: Path, *, private: bool = True) -> Iterator[TextIO]:
    """Write ``path`` (UTF-8, line ends as given) under a hidden name beside it, which becomes its own at the end.

    ``private``: for its owner alone; otherwise with the rights that new files have here. Where the body raises,
    nothing has changed. Raises OSError where the folder cannot be written to.
    """
    handle, written = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".writing", dir=path.parent)  # 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not private:
            os.chmod(written, 0o666 & ~_umask())
        os.replace(written, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(written)
        raise


def _umask() -> int:
    """The process's; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
