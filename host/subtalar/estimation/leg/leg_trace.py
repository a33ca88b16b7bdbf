"""What a pass that looks ahead wants to know of the causal one: all rows, all steps, all interruptions."""

from dataclasses import dataclass, field

import numpy as np

from subtalar.estimation.gait.step_reporter import Step
from subtalar.estimation.numerics.history import History
from subtalar.estimation.numerics.records import Records, opaque


class CompleteHistory(History):
    """A history that counts as forgotten what it is asked to forget, and keeps it all the same."""

    def room(self, n: int) -> Records:
        """Where the next rows (n,) will be: write them there, then raise ``end``."""
        need = self.end + n
        if need > len(self._rows):
            grown = np.empty(max(2 * len(self._rows), need), self._rows.dtype)
            opaque(grown)[: self.end] = opaque(self._rows)[: self.end]
            self._rows = grown
        return self._rows[self.end : need]

    def whole(self) -> Records:
        """Every row since the beginning."""
        return self._rows[: self.end]

    def __getstate__(self) -> dict[str, object]:
        """Everything, without the room behind it."""
        return {"first": self.first, "end": self.end, "_rows": self.whole(), "_shift": 0}


@dataclass(frozen=True)
class ReportedStep:
    """A step, or None where the foot's path was interrupted, and when (session clock) the causal pass knew of it."""

    step: Step | None
    now_s: float


@dataclass
class LegTrace:
    """One leg: both sensors' rows, steps in order, and the instants at which samples came again after a gap."""

    foot: CompleteHistory
    shank: CompleteHistory
    steps: list[ReportedStep] = field(default_factory=list)
    resumed_s: list[float] = field(default_factory=list)
