"""Columns of the rows that one sensor's front end delivers, behind those of ``motion.py``."""

ARRIVAL, REAL, CLIPPED, STEP, TURN = 15, 16, 17, 18, slice(19, 28)
WIDTH = 28
"""STEP: session seconds since the previous row; a gap shows as a large step. TURN: rotation matrix of FREE as VQF's
memory of gravity sees it (``free_turning.py``)."""
