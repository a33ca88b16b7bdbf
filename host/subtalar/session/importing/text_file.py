"""Read a text file whole, whatever program saved it: plain or gzip, UTF-8, UTF-16 or a Windows code page.

Bounded: what cannot be the table of a sensor (a gigabyte of zeros, a gzip file that unpacks without end) is refused
before it fills the memory.
"""

import gzip
import re
import zlib
from pathlib import Path
from typing import IO

from subtalar.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"
_LARGEST_BYTES = 2**30
"""Three hours of a sensor at 1000 Hz; four times what a morning at 200 Hz needs."""
_ALWAYS_ALLOWED_BYTES = 2**26
_LARGEST_RATIO = 50
"""Tables of measured numbers shrink by 2 to 10 in gzip; only what repeats itself shrinks by more than this."""
_PIECE = 2**20
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HEAD_BYTES = 2**14


def read_text(path: Path) -> bytes:
    """The file as UTF-8 without a byte order mark, lines ending in ``\\n`` or ``\\r\\n``.

    gzip is known by the first bytes, not by the name. Raises InputError when the file cannot be read, is empty, is not
    text, is too large, or is a gzip file that was cut short.
    """
    data = _read_bytes(path, None)
    if not data or data.isspace():
        raise InputError(f"{path.name} is empty: export or copy it again.")
    return _to_utf8(path, data)


def read_head(path: Path) -> str:
    """The first 16 kB of the file as text, to find out what it is; empty where it is no readable text."""
    try:
        data = _read_bytes(path, _HEAD_BYTES)
        if data.startswith(_UTF16_MARKS):
            return data[: len(data) & ~1].decode("utf-16", errors="replace")
        return data.removeprefix(_UTF8_MARK).decode("utf-8", errors="replace")
    except InputError:
        return ""


def _read_bytes(path: Path, most: int | None) -> bytes:
    try:
        if not path.is_file():  # a named pipe would wait for its other end
            raise InputError(f"{path} is not a file: name the table of the sensor.")
        size = path.stat().st_size
        with path.open("rb") as plain:
            zipped = plain.read(2) == _GZIP_MAGIC
            plain.seek(0)
            if not zipped:
                return _read_pieces(path, plain, _LARGEST_BYTES, most)
            limit = min(_LARGEST_BYTES, max(_ALWAYS_ALLOWED_BYTES, _LARGEST_RATIO * size))
            with gzip.GzipFile(fileobj=plain, mode="rb") as unzipped:
                return _read_pieces(path, unzipped, limit, most)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path.name} is a gzip file that was cut short or damaged: copy it again.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error


def _read_pieces(path: Path, file: IO[bytes] | gzip.GzipFile, limit: int, most: int | None) -> bytes:
    pieces: list[bytes] = []
    total = 0
    while most is None or total < most:
        piece = file.read(_PIECE if most is None else most - total)
        if not piece:
            break
        if not pieces and not piece.startswith(_UTF16_MARKS) and _CONTROL.search(piece[:_HEAD_BYTES]):
            raise InputError(f"{path.name} is not a text file: a table of numbers was expected.")
        pieces.append(piece)
        total += len(piece)
        if total > limit:
            raise InputError(
                f"{path.name} holds more than {limit / 2**20:.0f} MB of text, which no session of a sensor needs: "
                "it is damaged or another kind of file; cut it into sessions if it really is a recording."
            )
    return b"".join(pieces)


def _to_utf8(path: Path, data: bytes) -> bytes:
    not_text = f"{path.name} is not a text file: a table of numbers was expected."
    if data.startswith(_UTF16_MARKS):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise InputError(f"{not_text[:-1]}; if it is one in UTF-16, it was cut short: copy it again.") from error
        if not re.search(rb"[\d\n]", data[:_HEAD_BYTES]):
            raise InputError(not_text)
    data = data.removeprefix(_UTF8_MARK)
    if bytes(64) in data:  # a file system that lost power fills what it lost with zeros
        raise InputError(f"{path.name} is damaged: stretches of it are zeros instead of text; copy it again.")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return data.decode("cp1252", errors="replace").encode()  # Windows; the numbers are the same in all of them
    return data
