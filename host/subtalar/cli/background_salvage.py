"""What a crash left open is closed beside the next live session, in a process that takes only what is spare."""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from subtalar.errors import InputError

if TYPE_CHECKING:
    from subtalar.session.recording.repair.salvage import SalvageResult


@contextlib.contextmanager
def salvaging(record_path: Path | None) -> Iterator[None]:
    """Look into the usual folder and that of the new recording; say what was found now and how it went at the end.

    Never keeps the session from beginning or running.
    """
    folders = _folders(record_path)
    found = _unclosed(folders)
    if not found:
        yield
        return
    names = found[0].name if len(found) == 1 else f"{len(found)} recordings"
    were = "was" if len(found) == 1 else "were"
    click.echo(f"{names} {were} left open by a crash: being saved in the background.", err=True)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_salvage, args=(found, theirs), name="subtalar salvage")
    try:
        process.start()
    except OSError:
        ours.close()
        theirs.close()
        yield
        return
    theirs.close()
    try:
        yield
    finally:
        for text in _results_from(ours):
            click.echo(text, err=True)
        ours.close()


def _folders(record_path: Path | None) -> list[Path]:
    from subtalar.session import earlier_folders, recordings_folder

    folders = [recordings_folder(), *earlier_folders(), *([] if record_path is None else [record_path.parent])]
    return list(dict.fromkeys(folder.absolute() for folder in folders))


def _unclosed(folders: list[Path]) -> tuple[Path, ...]:
    from subtalar.session.recording.repair.salvage import unclosed_recordings

    return tuple(path for folder in folders for path in unclosed_recordings(folder))


def salvage_and_catalogue(path: Path) -> "SalvageResult":
    """Close a recording that was left open, and let the catalogue say that it was."""
    from subtalar.session import recordings_folder
    from subtalar.session.catalogue import write_sidecar
    from subtalar.session.recording.repair.salvage import salvage, unclosed_recordings

    was_open = path in unclosed_recordings(path.parent)
    result = salvage(path)
    if was_open and result.ok:
        with contextlib.suppress(InputError):
            write_sidecar(recordings_folder(), path, salvaged=True)
    return result


def _salvage(paths: tuple[Path, ...], pipe: "Connection[Any, Any]") -> None:
    """Body of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(19)
    for path in paths:
        text = salvage_and_catalogue(path).text
        with contextlib.suppress(OSError):
            pipe.send(text)
    pipe.close()


def _results_from(pipe: "Connection[Any, Any]") -> Iterator[str]:
    """Sentences until the process has ended."""
    while True:
        try:
            yield str(pipe.recv())
        except (EOFError, OSError):
            return
