"""Many sessions, analysed anew: on this computer's cores or on a Dask cluster, with the same result."""

from subtalar.batch.job import Settings
from subtalar.batch.runner import BatchOutcome, run_batch

__all__ = ["BatchOutcome", "Settings", "run_batch"]
