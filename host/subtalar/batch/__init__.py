"""Many sessions, analysed anew: on this computer's cores or on a Dask cluster, with the same result."""

from subtalar.batch.command import BatchOutcome, run_batch
from subtalar.batch.job import Settings

__all__ = ["BatchOutcome", "Settings", "run_batch"]
