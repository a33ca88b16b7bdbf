"""The live session as text: a full-screen view in a terminal, one plain line a second anywhere else."""

from subtalar.dashboard.terminal.follow import run

__all__ = ["run"]
