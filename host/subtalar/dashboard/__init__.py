"""What the clinician sees: a window of places and a terminal view, which pull from the live session's memory.

Qt and rich are loaded only when a view is started.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from subtalar.acquisition.commands import CommandSender
from subtalar.errors import SubtalarError

if TYPE_CHECKING:
    from subtalar.dashboard.stream.latency import LatencyProbe

__all__ = ["run_dashboard", "run_terminal"]


def run_dashboard(
    ring_name: str,
    sender: CommandSender | None = None,
    *,
    on_close: Callable[[], None] | None = None,
    wait_s: float = 15.0,
    close_when_ended: bool = False,
    failure: Callable[[], str | None] = lambda: "",
    probe: "LatencyProbe | None" = None,
) -> int:
    """Show a live session in a window until the person closes it. Call from the main thread.

    ``sender`` None leaves out the buttons that talk back. ``on_close`` is called once the window is gone.
    ``failure`` is asked once the session has ended: one sentence on why it could not go on, empty where all is well,
    None while that is not known.
    ``probe`` collects latencies from arrival to paint. Returns 0, or 1 when the measuring process died.
    Raises InputError when no such session appears within ``wait_s``, SubtalarError when Qt is not installed.
    """
    try:
        from subtalar.dashboard.window.app import run
    except ImportError as error:
        raise SubtalarError(
            f"the window needs Qt, which cannot be loaded ({error}); "
            "install it with `pip install 'subtalar[gui]'`, or use --headless"
        ) from None
    return run(
        ring_name, sender, on_close, wait_s=wait_s, close_when_ended=close_when_ended, failure=failure, probe=probe
    )


def run_terminal(
    ring_name: str,
    sender: CommandSender | None = None,
    *,
    duration_s: float | None = None,
    wait_s: float = 15.0,
    say_where: bool = True,
) -> int:
    """Show a live session in the terminal until it ends; see ``subtalar.dashboard.terminal.run``."""
    from subtalar.dashboard.terminal import run

    return run(ring_name, sender, duration_s=duration_s, wait_s=wait_s, say_where=say_where)
