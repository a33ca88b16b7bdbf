"""From the ring to what every place of the window reads."""

from subtalar.dashboard.stream.latency import LatencyProbe
from subtalar.dashboard.stream.leg_trace import WINDOW_S, LegTrace
from subtalar.dashboard.stream.session_stream import SessionStream

__all__ = ["WINDOW_S", "LatencyProbe", "LegTrace", "SessionStream"]
