"""What differs between two sets of results of a session: as recorded, as analysed now, or as tables hold them."""

from subtalar.report.comparison.differences import Comparison, compare_results
from subtalar.report.comparison.result_sets import ResultSet, analyze_now, read_result_set

__all__ = ["Comparison", "ResultSet", "analyze_now", "compare_results", "read_result_set"]
