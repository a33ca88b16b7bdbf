"""``subtalar recordings``: where they are."""

import os
import subprocess
import sys
from pathlib import Path

import click

from subtalar.cli.whole_help import command_line


@click.command("recordings")
@click.option("--open", "open_it", is_flag=True, help="Open the folder in the file manager, where there is a desktop.")
@click.option("--move", is_flag=True, help="Move recordings from places where earlier versions kept them to this one.")
def show_recordings(*, open_it: bool, move: bool) -> None:
    """Print the folder of recordings and of the catalogue.

    It is $SUBTALAR_RECORDINGS, or else subtalar-recordings in your documents. Recordings that lie where earlier
    versions kept them are used on.
    """
    from subtalar.session import checkout_around, earlier_folders, recordings_folder

    folder = recordings_folder()
    if move:
        _move(folder, earlier_folders())
    click.echo(str(folder))
    checkout = checkout_around(folder)
    if checkout is not None:
        click.echo(f"subtalar: This lies among the source in {checkout}: another folder would be safer.", err=True)
    if not move:
        say_earlier(earlier_folders())
    if open_it:
        _open(folder)


def say_earlier(places: tuple[Path, ...]) -> None:
    """On stderr, one sentence for each place that holds recordings besides the folder for new ones."""
    for place in places:
        line = command_line("recordings", "--move")
        click.echo(f"subtalar: Recordings in {place} are still listed; `{line}` moves them to the new ones.", err=True)


def _move(folder: Path, places: tuple[Path, ...]) -> None:
    from subtalar.session.catalogue import open_catalogue
    from subtalar.session.catalogue.takeover import move_here

    left: list[str] = []
    with open_catalogue(folder) as catalogue:
        for place in places:
            moved = move_here(catalogue, place)
            left += moved.left
            count = len(moved.paths)
            click.echo(f"Moved {count} recording{'' if count == 1 else 's'} from {place}.", err=True)
        left += catalogue.problems
    if not places:
        click.echo(f"There are no recordings elsewhere: all are in {folder}.", err=True)
    for sentence in left:
        click.echo(f"subtalar: {sentence}", err=True)


def _open(folder: Path) -> None:
    if not folder.is_dir():
        click.echo("There are no recordings yet: the first one makes that folder.", err=True)
    elif not has_desktop() or not _launched(folder):
        click.echo("There is no file manager here: the recordings are in that folder.", err=True)


def _launched(folder: Path) -> bool:
    """Whether a file manager took the folder. Its own complaints are nobody's business."""
    if sys.platform == "win32":
        os.startfile(folder)
        return True
    command = ["open" if sys.platform == "darwin" else "xdg-open", str(folder)]
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)
    except subprocess.TimeoutExpired:  # some stay until the window is closed
        return True
    except OSError:
        return False
    return done.returncode == 0


def has_desktop() -> bool:
    """Whether something with windows can be opened."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
