"""All cases, one after the other, as a table."""

import asyncio
from collections.abc import Callable, Sequence

from subtalar.acquisition.process import raise_priority
from subtalar.estimation import warm_up
from subtalar_bench.adversity.cases import Case
from subtalar_bench.adversity.results import CaseResult, judge
from subtalar_bench.adversity.session import TroubleOpener, live_through
from subtalar_bench.standstill import StandstillWatch
from subtalar_bench.table import Column, Table, Value

_COLUMNS = (
    Column("event", "event"),
    Column("route", "route"),
    Column("sensors", "of 4", 0),
    Column("gone_s", "gone for s", 0),
    Column("noticed_s", "noticed after s", 1),
    Column("streaming_s", "streaming after return s", 1),
    Column("strides", "strides until ok", 0),
    Column("angles_s", "the same in s", 1),
    Column("gap_marked", "gap marked"),
    Column("invented_values", "values in it", 0),
    Column("reconnects", "links made again", 0),
    Column("received", "received", 0),
    Column("lost", "lost", 0),
    Column("unaccounted", "+ − measured", 0),
    Column("error_before_deg", "RMSE ° before", 1),
    Column("error_after_deg", "after", 1),
    Column("still_s", "computer's longest standstill s", 1),
)
_TITLE = "Four sensors at 200 Hz on a walking pair of legs: something breaks and comes back"


def measure(cases: Sequence[Case], opener: TroubleOpener, tell: Callable[[Case], None] = lambda _: None) -> Table:
    """Live through each in real time. Raises SubtalarError where sensors cannot be served or reached."""
    raise_priority()  # as the process of a live session does
    warm_up()  # loading takes seconds in which people would stand already
    rows = []
    for case in cases:
        tell(case)
        with StandstillWatch() as watch:
            lived = asyncio.run(live_through(case, opener))
            still_s = watch.take_worst_s()
        rows.append(_row(case, judge(lived), still_s))
    return Table("adversity", _TITLE, _COLUMNS, tuple(rows))


def _row(case: Case, found: CaseResult, still_s: float) -> tuple[Value, ...]:
    return (
        case.kind,
        case.route,
        len(case.sites),
        case.length_s,
        found.noticed_s,
        found.streaming_s,
        found.strides,
        found.angles_s,
        "yes" if found.is_marked else "no",
        found.invented,
        found.reconnects,
        found.received,
        found.lost,
        found.unaccounted,
        found.error_before_deg,
        found.error_after_deg,
        still_s,
    )
