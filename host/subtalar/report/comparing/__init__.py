"""What differs between two tellings of a session: as it was recorded, as it is analysed now, or as tables hold it."""

from subtalar.report.comparing.differences import Comparison, compare_tellings
from subtalar.report.comparing.result_sets import Telling, analysed_now, telling_of

__all__ = ["Comparison", "Telling", "analysed_now", "compare_tellings", "telling_of"]
