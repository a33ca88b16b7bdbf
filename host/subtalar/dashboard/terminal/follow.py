"""Follows a session in the terminal until it ends."""

import contextlib
import time

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from subtalar.acquisition.commands import CommandSender
from subtalar.acquisition.ring import RingReader
from subtalar.dashboard.places.live.actions import LiveActions
from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.stream import SessionStream
from subtalar.dashboard.terminal.keys import ELSEWHERE_KEY, MARK_KEY, Keys
from subtalar.dashboard.terminal.lines import plain_line, summary_lines
from subtalar.dashboard.terminal.screen import screen

REFRESH_S = 0.2
PLAIN_EVERY_S = 1.0
WAIT_FOR_END_S = 5.0


def run(
    ring_name: str,
    sender: CommandSender | None = None,
    *,
    duration_s: float | None = None,
    wait_s: float = 15.0,
    console: Console | None = None,
    say_where: bool = True,
) -> int:
    """Show a session until it ends; after ``duration_s`` of session time, or on Ctrl-C, ask it to end.

    Without ``sender`` both only end the view. ``say_where``: the last line says where the recording is; False for
    whoever says it after this. Returns 0, or 1 when the measuring process died. Raises InputError when no such
    session appears within ``wait_s``.
    """
    console = console or Console()
    with RingReader.attach(ring_name, wait_s=wait_s) as reader:
        stream = SessionStream(reader)
        model, actions = LiveModel(stream), LiveActions(stream, sender)
        try:
            _follow(model, console, actions, duration_s)
        except KeyboardInterrupt:
            actions.stop()
        if actions.available:
            _wait_for_end(stream)
        for line in summary_lines(model, say_where=say_where):
            print_line(console, line)
        return 1 if stream.died else 0


def _follow(model: LiveModel, console: Console, actions: LiveActions, duration_s: float | None) -> None:
    stream = model.stream
    stream.refresh()
    live = Live(console=console, auto_refresh=False, screen=False, transient=True) if console.is_terminal else None
    keys = Keys()
    with live or contextlib.nullcontext(), keys if live is not None else contextlib.nullcontext():
        next_line = 0.0
        while stream.running:
            if live is not None:
                live.update(screen(model, actions.marked if actions.available else None), refresh=True)
                key = keys.pressed()
                if key == ELSEWHERE_KEY and stream.facts.recording_error and actions.available:
                    _record_elsewhere(live, keys, console, actions)
                else:
                    mark_by_key(actions, key)
            elif time.monotonic() >= next_line:
                print_line(console, plain_line(model))
                next_line = time.monotonic() + PLAIN_EVERY_S
            if duration_s is not None and stream.elapsed_s >= duration_s:
                actions.stop()
                return
            time.sleep(REFRESH_S)
            stream.refresh()


def mark_by_key(actions: LiveActions, key: str) -> bool:
    """Put a marker into the session if that is what the key is for; whether it was."""
    if key != MARK_KEY and not key.isdecimal():
        return False
    return actions.mark(key if key.isdecimal() else "")


def _record_elsewhere(live: Live, keys: Keys, console: Console, actions: LiveActions) -> None:
    """Ask where; the session runs in another process and does not wait for the answer."""
    from subtalar.session.paths import recordings_folder  # loads what reads recordings: seldom needed here

    live.stop()
    keys.__exit__(None, None, None)
    usual = str(recordings_folder())
    with contextlib.suppress(EOFError, OSError):
        place = console.input(f"Go on recording in which folder? (empty: {escape(usual)}) ").strip()
        actions.record_to(place or usual)
    keys.__enter__()
    live.start()


def print_line(console: Console, line: str) -> None:
    """One unbroken line, spelt in ASCII where the output (a pipe on Windows, say) knows no better."""
    try:
        line.encode(console.encoding)
    except UnicodeEncodeError:
        plain = line.replace("−", "-").replace("±", "+/-").replace("°", " deg").replace("≈", "~").replace("–", "-")
        line = plain.encode(console.encoding, "replace").decode(console.encoding)
    console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.file.flush()


def _wait_for_end(stream: SessionStream) -> None:
    deadline = time.monotonic() + WAIT_FOR_END_S
    with contextlib.suppress(KeyboardInterrupt):
        while stream.refresh() or (stream.running and time.monotonic() < deadline):
            time.sleep(REFRESH_S / 4)
            if not stream.running:
                return
