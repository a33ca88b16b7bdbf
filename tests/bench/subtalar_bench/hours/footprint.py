"""What a process holds at a time."""

import gc
import sys
from dataclasses import dataclass

from subtalar.bench.own_process import resident_memory_mb


@dataclass(frozen=True)
class Footprint:
    """``resident_mb`` of this process, and ``blocks`` of memory that Python has given out and not got back."""

    at_s: float
    resident_mb: float
    blocks: int


def footprint(at_s: float) -> Footprint:
    """Now, which is ``at_s`` of the session."""
    gc.collect()
    return Footprint(at_s, resident_memory_mb(), sys.getallocatedblocks())
