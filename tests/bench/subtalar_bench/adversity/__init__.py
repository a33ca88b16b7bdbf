"""Live sessions in which something breaks and comes back: when it is noticed, when there are angles again."""

from subtalar_bench.adversity.cases import CASES, Case
from subtalar_bench.adversity.measure import measure
from subtalar_bench.adversity.results import CaseResult
from subtalar_bench.adversity.session import Account, TroubledSensors, TroubleOpener

__all__ = ["CASES", "Account", "Case", "CaseResult", "TroubleOpener", "TroubledSensors", "measure"]
