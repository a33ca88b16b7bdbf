"""The ways of estimating that are measured on truth trials; a further one is a further entry."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from subtalar.session.estimates import SessionEstimates, estimate_live, estimate_smoothed
from subtalar.types import BodySite, SampleBlock, SensorInfo

Pass: TypeAlias = Callable[[Mapping[BodySite, SensorInfo], Iterable[SampleBlock]], SessionEstimates]

PASSES: dict[str, Pass] = {"live": estimate_live, "smooth": estimate_smoothed}
"""By the name that stands in the keys of the tables. ``live`` does not look ahead; ``smooth`` does, over
the whole recording."""
