"""``subtalar.analyze``: the tables of ``subtalar analyze``, in memory."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subtalar.anatomy import SIDES, Side
from subtalar.api.session import Session, read
from subtalar.api.table import Table
from subtalar.api.tables import angle_table, event_table, stride_table
from subtalar.errors import InputError
from subtalar.report.analysis import measure, rewrite_results
from subtalar.report.coverage import NoticeTally
from subtalar.report.results import AnalysisResult
from subtalar.report.tables import summary
from subtalar.session import recordings_folder
from subtalar.session.catalogue import read_assignment
from subtalar.session.estimates import make_estimator
from subtalar.types import AngleBlock

if TYPE_CHECKING:
    from subtalar.estimation import Parameters


class Analysis:
    """What was measured in a session: the numbers that the files of ``subtalar analyze`` hold, to the last digit."""

    def __init__(self, session: Session, result: AnalysisResult, blocks: list[AngleBlock]) -> None:
        self.session = session
        self._result, self._blocks = result, blocks

    def __repr__(self) -> str:
        strides = ", ".join(f"{side} {len(found.strides)}" for side, found in self._result.sides.items())
        return f"<Analysis of {self.session.name}: strides {strides}; {self._result.estimator_pass} angles>"

    @property
    def sides(self) -> tuple[Side, ...]:
        """The legs that carried a sensor."""
        return tuple(self._result.sides)

    def angles(self, side: Side) -> Table:
        """The rows of ``angles.csv`` of one leg. Raises InputError for a leg that carried no sensor."""
        if side not in self._result.sides:
            raise InputError(f"{self.session.name} has no sensor on the {side} leg.")
        return angle_table(side, [b for b in self._blocks if b.side == side], rounded=True)

    @property
    def strides(self) -> Table:
        """The rows of ``strides.csv``."""
        found = [stride for side in SIDES if side in self._result.sides for stride in self._result.sides[side].strides]
        return stride_table(found, rounded=True)

    @property
    def events(self) -> Table:
        """The gait events of both legs: ``time_s``, ``side``, ``event``, ``detected_s``."""
        return event_table(self._result.events)

    @property
    def notices(self) -> tuple[NoticeTally, ...]:
        """What the estimator said: level, code, text, and how often."""
        return self._result.notices

    @property
    def summary(self) -> dict[str, Any]:
        """The content of ``summary.json``; its keys are described there."""
        return summary(self._result)

    def write(self, folder: str | PathLike[str]) -> Path:
        """Write ``angles.csv``, ``strides.csv``, ``summary.json`` and ``report.html``; the folder is made if absent.

        Raises InputError, in one sentence, where the folder cannot be used.
        """
        out = Path(folder).expanduser()
        rewrite_results(self.session.opened, self._blocks, self._result, out)
        return out


def analyze(
    session: "Session | str | PathLike[str]",
    *,
    smooth: bool = False,
    parameters: "Parameters | None" = None,
    subtalar_axis_deg: tuple[float, float] | None = None,
) -> Analysis:
    """Run the estimator over a session: angles, strides, events and the summary, in memory.

    The numbers are those of the live session, to the last bit, or with ``smooth`` those of the pass that looks ahead
    over the whole recording, for research. ``parameters``: ``subtalar.Parameters`` other than the product's.
    ``subtalar_axis_deg``: inclination and deviation of the subtalar axis instead of the mean foot's.

    The first use on a computer compiles the estimator, which takes a minute. Raises SubtalarError, in one sentence,
    where the session cannot be used or nothing could be measured in it.
    """
    opened = session if isinstance(session, Session) else read(session)
    blocks: list[AngleBlock] = []
    estimator = make_estimator(
        opened.opened.sensors, smooth=smooth, subtalar_axis_deg=subtalar_axis_deg, parameters=parameters
    )
    if parameters is not None and subtalar_axis_deg is None:
        axis = parameters.subtalar_axis
        subtalar_axis_deg = axis.inclination_deg, axis.deviation_deg
    result = measure(
        opened.opened,
        blocks,
        estimator=estimator,
        subtalar_axis_deg=subtalar_axis_deg,
        smooth=smooth,
        assignment=read_assignment(recordings_folder(), opened.path),
    )
    return Analysis(opened, result, blocks)
