"""Small shared types of the simulator. It shares no code with the host it tests, on purpose."""

from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Side = Literal["left", "right"]
Segment = Literal["foot", "shank"]

SIDES: Final[tuple[Side, Side]] = ("right", "left")
SITES: Final = ("right_foot", "right_shank", "left_foot", "left_shank")
GRAVITY_M_S2: Final = 9.80665


def split_site(site: str) -> tuple[Side, Segment]:
    """``right_foot`` -> ``("right", "foot")``. Raises ValueError for anything that is not one of ``SITES``."""
    if site not in SITES:
        raise ValueError(f"no such sensor site: {site!r}; there are {', '.join(SITES)}")
    side: Side = "left" if site.startswith("left") else "right"
    segment: Segment = "foot" if site.endswith("foot") else "shank"
    return side, segment


class Payload(NamedTuple):
    """What goes over the link in one piece, and how many samples it completes.

    ``source`` is the UUID of the characteristic that notifies; empty where there is only one, and on byte streams.
    """

    data: bytes
    samples: int = 0
    source: str = ""
