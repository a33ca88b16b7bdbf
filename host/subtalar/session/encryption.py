"""Encrypt a session at rest with a passphrase, and back.

``walk.mcap`` becomes ``walk.mcap.encrypted.tar``: a tar archive of files in the age format
(https://age-encryption.org/v1). A key made for this archive alone encrypts the files (X25519, ChaCha20-Poly1305 in
pieces of 64 KiB, so memory stays bounded); the passphrase encrypts the key (scrypt). ``tar`` and ``age`` open it
without this program; README.txt inside says how. All cryptography is pyrage's.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast

import pyrage

from subtalar.errors import InputError
from subtalar.session.catalogue.layout import ENCRYPTED_SUFFIX, SIDECAR_SUFFIX, companion_path, companions, plain_path
from subtalar.session.durable_file import is_being_written, sync_folder
from subtalar.session.recording.read import sample_cache as cache

SHORTEST_PASSPHRASE: Final = 8
_README: Final = "README.txt"
_KEY: Final = "key.age"
_CONTENTS: Final = "contents.json.age"
_PIECE = 2**20
_README_TEXT = """A measurement, encrypted with a passphrase.
With subtalar:     subtalar session decrypt THIS_FILE
Without subtalar:  tar xf THIS_FILE
                   age -d -i key.age -o FILE FILE.age      (asks for the passphrase; https://age-encryption.org)
"""


def encrypt_session(path: Path, passphrase: str) -> Path:
    """Encrypt a recording, or the folder of a session, with its notes; returns the archive beside it.

    What was encrypted is removed after the archive has been read back and compared. Raises InputError, and then
    everything is as it was.
    """
    target = companion_path(path, ENCRYPTED_SUFFIX)
    files = _files_of(path)
    _check_before(path, target, files, passphrase)
    root = path.parent
    with _staging(target) as staging:
        key, wrapped = new_key(passphrase)
        contents = {}
        with _new_file(staging) as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                _add_bytes(archive, _README, _README_TEXT.encode())
                _add_bytes(archive, _KEY, wrapped)
            file.seek(_end_of_members(file))
            for source in files:
                name = source.relative_to(root).as_posix()
                contents[name] = _add_encrypted(file, f"{name}.age", source, key)
            contents_json = json.dumps({"version": 1, "files": contents}).encode()
            _add_encrypted(file, _CONTENTS, io.BytesIO(contents_json), key)
            file.write(bytes(2 * tarfile.BLOCKSIZE))
            file.flush()
            os.fsync(file.fileno())
        try:
            _verify(staging, passphrase, contents)
        except InputError as error:
            raise InputError(
                f"What was written for {target.name} is not what is read again: the disk may fail."
            ) from error
        for source, (size, digest) in zip(files, contents.values(), strict=True):
            if (size, digest) != _measure(source):
                raise InputError(f"{source} has changed while it was encrypted: nothing was done; try again.")
        cache.forget(paths=files)
        os.replace(staging, target)
        sync_folder(root)
    for source in files:
        source.unlink()
    if path.is_dir():
        _remove_empty_folders(path)
    return target


def decrypt_session(archive: Path, passphrase: str) -> Path:
    """Put back what an archive holds and remove the archive; returns the session.

    Raises InputError for a wrong passphrase, a cut or altered archive, or files that are in the way; then everything
    is as it was.
    """
    session = plain_path(archive)
    if session == archive:
        raise InputError(f"{archive} is not an encrypted session: its name would end in {ENCRYPTED_SUFFIX}.")
    if session.exists():
        raise InputError(f"{session} exists already: move it away first.")
    folder = archive.with_name(f".{archive.name}.decrypting")
    with _staging(folder), _damage_as_input_error(archive), archive.open("rb") as file:
        folder.mkdir(mode=0o700)
        with tarfile.open(fileobj=file, mode="r:") as tar:
            members = {m.name: m for m in tar.getmembers()}
            key = _key(archive, _read(tar, members, _KEY), passphrase)
            contents = _contents(tar, members, key)
            for name, (size, digest) in contents.items():
                staged = folder / _safe(name)
                staged.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with _new_file(staged) as out:
                    sink = _Measured(out.write)
                    pyrage.decrypt_io(_member(tar, members, f"{name}.age"), cast(Any, sink), [key])
                    out.flush()
                    os.fsync(out.fileno())
                if sink.measured() != (size, digest):
                    raise ValueError(name)
        tops = sorted(p.name for p in folder.iterdir())
        in_the_way = [name for name in tops if (archive.parent / name).exists()]
        if in_the_way:
            raise InputError(f"{archive.parent / in_the_way[0]} exists already: move it away first.")
        for name in sorted(tops, key=lambda n: n == session.name):  # the session last: until then it is encrypted
            os.replace(folder / name, archive.parent / name)
        sync_folder(archive.parent)
    archive.unlink()
    return session


def new_key(passphrase: str) -> "tuple[pyrage.x25519.Identity, bytes]":
    """A key for one archive, and the same encrypted with the passphrase, which takes about a second on purpose."""
    key = pyrage.x25519.Identity.generate()
    return key, pyrage.passphrase.encrypt(f"{key}\n".encode(), passphrase)


def _files_of(path: Path) -> list[Path]:
    beside_it = [p for p in companions(path) if p.is_file() and not p.name.endswith((SIDECAR_SUFFIX, ENCRYPTED_SUFFIX))]
    own = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return [*own, *beside_it]


def _check_before(path: Path, target: Path, files: Sequence[Path], passphrase: str) -> None:
    if path.name.endswith(ENCRYPTED_SUFFIX):
        raise InputError(f"{path} is encrypted already.")
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise InputError(f"The passphrase is too short: at least {SHORTEST_PASSPHRASE} characters, better four words.")
    if target.exists():
        raise InputError(f"{target} exists already: move it away first.")
    if not path.exists() or not files:
        raise InputError(f"There is no {path}: check the name and the folder.")
    if any(is_being_written(p) for p in files):
        raise InputError(f"{path} is being recorded at this moment: end that session first.")
    if any(p.is_symlink() for p in (path, *files)):
        raise InputError(f"{path} is or holds a link: encrypt what it leads to.")
    try:
        needed = sum(p.stat().st_size for p in files)
        if shutil.disk_usage(path.parent).free < needed * 1.01 + _PIECE:
            raise InputError(f"There is no room for the encrypted copy of {path.name}: free {needed / 1e6:.0f} MB.")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """A hidden name beside the target, gone at the end whatever happens. OS errors become one sentence."""
    staging = target if target.name.startswith(".") else target.with_name(f".{target.name}.writing")
    try:
        _discard(staging)
        yield staging
    except OSError as error:
        raise InputError(
            f"{target.name} cannot be made ({error.strerror or error}): check the free space and the right to write "
            f"in {target.parent}."
        ) from error
    finally:
        _discard(staging)


def _new_file(path: Path) -> IO[bytes]:
    """For its owner alone, to write and to read again."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    return os.fdopen(os.open(path, flags, 0o600), "w+b")


def _discard(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _damage_as_input_error(archive: Path) -> Iterator[None]:
    sentence = f"{archive} is cut or altered and cannot be decrypted: take another copy of it."
    try:
        yield
    except (tarfile.TarError, KeyError, ValueError, TypeError, EOFError, pyrage.DecryptError) as error:
        raise InputError(sentence) from error
    except OSError as error:
        # pyrage tells damage in the middle of a file as an OSError without a number.
        message = sentence if error.errno is None else f"{archive} cannot be read or written ({error.strerror})."
        raise InputError(message) from error


def _key(archive: Path, wrapped: bytes, passphrase: str) -> "pyrage.x25519.Identity":
    try:
        return pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(wrapped, passphrase).decode().strip())
    except pyrage.DecryptError as error:
        raise InputError(f"The passphrase is not that of {archive}, or the file is altered: try again.") from error


def _contents(tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo], key: Any) -> dict[str, tuple[int, str]]:
    contents_json = json.loads(pyrage.decrypt(_read(tar, members, _CONTENTS), [key]))
    if contents_json["version"] > 1:
        raise InputError("This session was encrypted by a newer subtalar: update this one.")
    return {str(name): (int(size), str(digest)) for name, (size, digest) in contents_json["files"].items()}


def _verify(archive: Path, passphrase: str, contents: dict[str, tuple[int, str]]) -> None:
    """Read it all back as a stranger would, from the passphrase on. Raises InputError."""
    with _damage_as_input_error(archive), archive.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
        members = {m.name: m for m in tar.getmembers()}
        key = _key(archive, _read(tar, members, _KEY), passphrase)
        if _contents(tar, members, key) != contents:
            raise ValueError("contents")
        for name, measured in contents.items():
            sink = _Measured(len)
            pyrage.decrypt_io(_member(tar, members, f"{name}.age"), cast(Any, sink), [key])
            if sink.measured() != measured:
                raise ValueError(name)


class _Measured:
    """Counts and digests what passes through ``read`` or ``write``."""

    def __init__(self, move: Callable[..., Any]) -> None:
        self._move = move
        self._size = 0
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = cast(bytes, self._move(size))
        self._take(data)
        return data

    def write(self, data: bytes) -> int:
        self._take(data)
        self._move(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back here."""

    def measured(self) -> tuple[int, str]:
        return self._size, self._digest.hexdigest()

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        self._digest.update(data)


def _measure(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        measured = _Measured(file.read)
        while measured.read(_PIECE):
            pass
    return measured.measured()


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    archive.addfile(info, io.BytesIO(data))


def _end_of_members(file: IO[bytes]) -> int:
    """Where the end mark of a tar archive begins: the next member goes there."""
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:") as tar:
        last = tar.getmembers()[-1]
        return last.offset_data + -(-last.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _add_encrypted(file: IO[bytes], name: str, source: Path | IO[bytes], key: Any) -> tuple[int, str]:
    """Append a member whose size is known only afterwards; returns size and digest of the plain content."""
    start = file.tell()
    info = tarfile.TarInfo(name)
    info.size, info.mode = 2**40, 0o600  # of the longest header that any size needs
    head = len(info.tobuf(tarfile.GNU_FORMAT))
    file.write(bytes(head))
    with source.open("rb") if isinstance(source, Path) else contextlib.nullcontext(source) as plain:
        reader = _Measured(plain.read)
        pyrage.encrypt_io(cast(Any, reader), file, [key.to_public()])
    end = file.tell()
    info.size = end - start - head
    header = info.tobuf(tarfile.GNU_FORMAT)
    if len(header) != head:
        raise InputError(f"{name} cannot be put into an archive: give it a shorter name.")
    file.seek(start)
    file.write(header)
    file.seek(end)
    file.write(bytes(-info.size % tarfile.BLOCKSIZE))
    return reader.measured()


def _member(tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo], name: str) -> IO[bytes]:
    stream = tar.extractfile(members[name])
    if stream is None:
        raise KeyError(name)
    return stream


def _read(tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo], name: str) -> bytes:
    """A small member."""
    if members[name].size > 16 * _PIECE:
        raise ValueError(name)
    return _member(tar, members, name).read()


def _safe(name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise ValueError(name)
    return Path(*parts)


def _remove_empty_folders(folder: Path) -> None:
    for root, _, _ in sorted(os.walk(folder), reverse=True):
        with contextlib.suppress(OSError):
            Path(root).rmdir()
