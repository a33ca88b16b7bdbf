"""Sensors with random faults against the whole chain of a live sensor, in time that passes as fast as it can."""

from subtalar.bench.faults.trial import Finding, Trial, TrialMaker, run_trial
from subtalar.bench.faults.trials import measure

__all__ = ["Finding", "Trial", "TrialMaker", "measure", "run_trial"]
