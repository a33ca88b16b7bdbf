"""Number types of options."""

import math
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A ``FloatRange`` without nan and inf, which pass click's own."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See ``click.ParamType``."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


SECONDS = FiniteRange(min=0, min_open=True)
"""A duration, or a speed that may not be 0."""


class SubtalarAxisType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on only
    """Inclination and deviation in degrees, such as ``42,23``; converts to a pair of floats."""

    name = "axis"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """See ``click.ParamType``."""
        from subtalar.errors import InputError
        from subtalar.estimation.parameters import SubtalarAxis

        try:
            inclination_deg, deviation_deg = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(
                f"{value!r} is not an axis: give inclination and deviation in degrees, such as 42,23.", param, ctx
            )
        try:
            SubtalarAxis(inclination_deg, deviation_deg)
        except InputError as error:
            self.fail(str(error), param, ctx)
        return inclination_deg, deviation_deg


SUBTALAR_AXIS_HELP = (
    "Inclination and deviation of the subtalar axis in degrees; the mean of adult feet, 42,23, when not given."
)
