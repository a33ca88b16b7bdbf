"""Who else hears of a session while it runs, and what a marker may be called."""

import re
from typing import Final, Protocol

from subtalar.types import BodySite, Estimates

LONGEST_LABEL: Final = 200
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Listener(Protocol):
    """Hears of everything that is found. Must return at once and never raise."""

    def on_estimates(self, estimates: Estimates) -> None:
        """Angles, events, strides and notices; called in the estimator's thread."""
        ...

    def on_marker(self, label: str, time_s: float) -> None:
        """A marker was put into the session; called on the event loop."""
        ...

    def on_sites(self, sites: frozenset[BodySite]) -> None:
        """Which sensors there are; called once, before anything else."""
        ...


def label_of(text: str) -> str:
    """One printable line of at most ``LONGEST_LABEL`` letters; empty where nothing is left."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:LONGEST_LABEL].rstrip()
