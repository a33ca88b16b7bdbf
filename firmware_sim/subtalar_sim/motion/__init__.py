"""Recorded motion as the body: what real sensors measured once, measured again by simulated ones."""

from subtalar_sim.motion.folder import read_motion
from subtalar_sim.motion.playback import RecordedBody, RecordedSource
from subtalar_sim.motion.recording import RecordedMotion, RecordedSensor, Rows, motion_from_rows

__all__ = [
    "RecordedBody",
    "RecordedMotion",
    "RecordedSensor",
    "RecordedSource",
    "Rows",
    "motion_from_rows",
    "read_motion",
]
