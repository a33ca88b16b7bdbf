"""Measurements of speed and size on the machine at hand. Accuracy is measured elsewhere, against truth."""

from subtalar.bench.result import Bench, Result, render
from subtalar.bench.runs import BENCHES

__all__ = ["BENCHES", "Bench", "Result", "render"]
