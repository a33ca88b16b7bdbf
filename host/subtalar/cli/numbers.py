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
