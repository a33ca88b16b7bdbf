"""The Python interface: what ``import subtalar`` offers and versions promise. Nothing else imports this package."""

from subtalar.api.analysis import Analysis, analyze
from subtalar.api.exporting import export
from subtalar.api.session import Session, Trial, read
from subtalar.api.simulation import simulate
from subtalar.api.table import Table

__all__ = ["Analysis", "Session", "Table", "Trial", "analyze", "export", "read", "simulate"]
