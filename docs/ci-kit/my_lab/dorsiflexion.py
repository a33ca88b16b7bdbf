"""How far the knee goes over the toes: the tilt of the shank while the foot stays flat."""

import numpy as np


def lean_deg(t_s: np.ndarray, shank_acc_m_s2: np.ndarray, standing_until_s: float) -> np.ndarray:
    """Angle (n,) in degrees between "up" now and "up" in the quiet standing at the beginning, for slow movements."""
    upright = shank_acc_m_s2[t_s < standing_until_s].mean(axis=0)
    smooth = np.stack([np.convolve(a, np.ones(41) / 41, mode="same") for a in shank_acc_m_s2.T], axis=1)
    cosine = smooth @ upright / (np.linalg.norm(smooth, axis=1) * np.linalg.norm(upright))
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
