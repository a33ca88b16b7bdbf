"""The places of the window, in the order in which they are offered. One more is one more line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from subtalar.acquisition.commands import CommandSender
from subtalar.dashboard.places.live.view.live_view import LiveView
from subtalar.dashboard.stream import LatencyProbe, SessionStream
from subtalar.dashboard.widgets.place_view import PlaceView


@dataclass(frozen=True)
class Place:
    """``title`` is what its tab says; ``open_view`` makes its view, which talks to the session through the sender."""

    name: str
    title: str
    open_view: Callable[[SessionStream, CommandSender | None, LatencyProbe | None], PlaceView]


PLACES: Final = (Place("live", "Live", LiveView),)
