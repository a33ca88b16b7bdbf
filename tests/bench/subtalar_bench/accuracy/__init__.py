"""How well the estimator does on recordings that carry truth or let it be checked."""

from subtalar_bench.accuracy.document import write_tables
from subtalar_bench.accuracy.measurements import MEASUREMENTS, measure

__all__ = ["MEASUREMENTS", "measure", "write_tables"]
