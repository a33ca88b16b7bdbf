"""The library of the Lab Streaming Layer: its clock, its log, and how our own streams are known."""

import os
from pathlib import Path
from typing import Final

from subtalar.device import SessionClock

SOURCE_PREFIX: Final = "subtalar"


def lsl_clock_offset_s(clock: SessionClock) -> float:
    """LSL's clock minus the session's. Both are the computer's monotonic clock, or run as fast."""
    import pylsl

    def compared() -> tuple[float, float]:
        before = clock.now_s()
        lsl = float(pylsl.local_clock())
        after = clock.now_s()
        return after - before, lsl - 0.5 * (before + after)

    # A busy computer may pause between two readings: of several comparisons the quickest is right.
    return min(compared() for _ in range(20))[1]


def keep_lsl_quiet() -> None:
    """LSL's library writes what it does into the terminal. Whoever has configured it has the last word."""
    import pylsl

    named = os.environ.get("LSLAPICFG")
    places = [Path("lsl_api.cfg"), Path.home() / "lsl_api" / "lsl_api.cfg", Path("/etc/lsl_api/lsl_api.cfg")]
    if not named and not any(place.exists() for place in places):
        try:
            pylsl.set_config_content("[log]\nlevel = -3\n")
        except NotImplementedError:  # an older library
            return
