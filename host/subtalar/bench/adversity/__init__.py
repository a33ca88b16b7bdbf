"""Live sessions in which something breaks and comes back: when it is noticed, when there are angles again."""

from subtalar.bench.adversity.cases import CASES, Case
from subtalar.bench.adversity.findings import Finding
from subtalar.bench.adversity.measure import measure
from subtalar.bench.adversity.session import Account, TroubledSensors, TroubleOpener

__all__ = ["CASES", "Account", "Case", "Finding", "TroubleOpener", "TroubledSensors", "measure"]
