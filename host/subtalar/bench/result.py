"""One measured figure, and a table of them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

SessionMaker: TypeAlias = Callable[[Path, float], Path]
"""Writes a raw session of four sensors into a folder, so many seconds long."""
SimulatedOpener: TypeAlias = Callable[[int, str], Any]
"""Opens simulated hardware of a seed and style, as an async context."""


@dataclass(frozen=True)
class Result:
    """A figure with its unit and what it was measured on."""

    name: str
    value: float
    unit: str
    on: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


Bench: TypeAlias = Callable[[SessionMaker, SimulatedOpener], list[Result]]


def render(results: Sequence[Result]) -> str:
    """A table for a terminal."""
    width = max(len(r.name) for r in results)
    numbers = [f"{r.value:,.0f}" if r.value >= 1000 else f"{r.value:.3g}" for r in results]
    number_width = max(len(n) for n in numbers)
    units = max(len(r.unit) for r in results)
    return "\n".join(
        f"{r.name:<{width}}  {n:>{number_width}} {r.unit:<{units}}  {r.on}"
        for r, n in zip(results, numbers, strict=True)
    )
