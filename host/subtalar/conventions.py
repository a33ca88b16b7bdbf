"""Frames, units and signs, in one place. Prose with pictures: ``docs/conventions.md``.

* SI inside (m, s, rad, m/s²); degrees only where a person reads.
* Quaternions are scalar first (w, x, y, z) everywhere; SciPy's order is converted at the call.
  ``q`` named ``q_ab`` maps vectors of frame ``b`` into frame ``a``.
* Segment frames are ISB (Wu et al. 2002, doi 10.1016/S0021-9290(01)00222-6): x anterior, y superior,
  z to the right. World is z up with arbitrary heading.
* Ankle angles are the Cardan sequence Z-X'-Y'' of the foot relative to the shank with clinical signs
  that are the same for both legs: + dorsiflexion (toes up), + inversion (sole to the midline),
  + internal tibial rotation (tibia inward relative to the foot).
* Angles to the floor keep these signs, whichever leg.
* About the subtalar axis + is supination; of the foot to the floor + is toes up and sole to the midline; of the shank
  + is leaning forward and knee to the midline. Order and words of all angles: ``anatomy.py``.
"""

from typing import Final

GRAVITY_M_S2: Final = 9.80665
"""Standard gravity (3rd CGPM, 1901)."""
