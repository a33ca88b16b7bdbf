"""What goes wrong between a foot and its host: planned in a frozen value, drawn from a seed, counted exactly.

A plan comes from a script (``parse_faults``, ``script_of`` for files of them) or is written down as a ``FaultPlan``.
Gaps happen in the sensor, the rest of the bytes' troubles on the ``DelayLine``, and lost links, refusals and reboots in
``subtalar_sim.serve``.
"""

from subtalar_sim.faults.gaps import GapDrawer
from subtalar_sim.faults.given import script_of
from subtalar_sim.faults.ledger import SentLedger
from subtalar_sim.faults.line import DelayLine
from subtalar_sim.faults.plan import NO_FAULTS, FaultPlan
from subtalar_sim.faults.script import FaultScript, parse_faults

__all__ = ["NO_FAULTS", "DelayLine", "FaultPlan", "FaultScript", "GapDrawer", "SentLedger", "parse_faults", "script_of"]
