"""A working day of sensors whose clocks run apart, in time that passes as fast as it can."""

from subtalar_bench.hours.leg import LegDay, LegDayResult, LegMaker, run_leg
from subtalar_bench.hours.measure import measure

__all__ = ["LegDay", "LegDayResult", "LegMaker", "measure", "run_leg"]
