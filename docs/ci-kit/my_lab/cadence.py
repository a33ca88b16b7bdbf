"""Steps from a gyroscope on the foot."""

import numpy as np


def landings(t_s: np.ndarray, gyr_rad_s: np.ndarray) -> np.ndarray:
    """Times (m,) at which the fast turn of each swing is over: some 0.1 s before the foot lands."""
    speed = np.linalg.norm(gyr_rad_s, axis=1)
    swinging = np.flatnonzero(speed > 0.6 * np.quantile(speed, 0.99))
    last_of_swing = np.append(np.diff(t_s[swinging]) > 0.3, True)
    return t_s[swinging[last_of_swing]]


def cadence_per_min(landings_s: np.ndarray) -> float:
    """Steps a minute of both feet, from the landings of one."""
    return 2.0 * 60.0 / float(np.median(np.diff(landings_s)))
