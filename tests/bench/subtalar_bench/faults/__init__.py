"""Sensors with random faults against the whole chain of a live sensor, in time that passes as fast as it can."""

from subtalar_bench.faults.fault_run import FaultRun, FaultRunMaker, FaultRunResult, run_fault_script
from subtalar_bench.faults.measure import measure

__all__ = ["FaultRun", "FaultRunMaker", "FaultRunResult", "measure", "run_fault_script"]
