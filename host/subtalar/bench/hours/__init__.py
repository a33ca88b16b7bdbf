"""A working day of sensors whose clocks run apart, in time that passes as fast as it can."""

from subtalar.bench.hours.leg import LegFinding, LegMaker, LegTrial, run_leg
from subtalar.bench.hours.measure import measure

__all__ = ["LegFinding", "LegMaker", "LegTrial", "measure", "run_leg"]
