"""A walking body: two legs whose ankle angles are known exactly at every instant."""

from subtalar_sim.body.style import STYLES, WalkingStyle
from subtalar_sim.body.walker import BodyConfig, Stride, WalkingBody

__all__ = ["STYLES", "BodyConfig", "Stride", "WalkingBody", "WalkingStyle"]
