"""The peers: orientation of one sensor, and the correction of the heading between two.

Settings are the ones that their own documents give; nothing is tuned. The two packages that are no part of the product
come with its development extra.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from vqf import VQF

from subtalar.bench.peers.told import Sensor
from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError
from subtalar.types import FloatArray

Filter = Callable[[Sensor], FloatArray]
"""Orientation (n, 4) of a sensor in its own level world, for each of its samples."""

_FUSION_GAIN, _FUSION_REJECTION_DEG, _FUSION_TIMEOUT_S = 0.5, 10.0, 5.0
"""The values of the advanced example of Fusion's own documentation."""


def vqf(sensor: Sensor) -> FloatArray:
    """VQF, six axes, defaults (Laidig & Seel 2023, doi 10.1016/j.inffus.2022.10.014)."""
    out = VQF(1.0 / sensor.rate_hz).updateBatch(sensor.gyr_rad_s, sensor.acc_m_s2)
    return np.asarray(out["quat6D"])


def fusion(sensor: Sensor) -> FloatArray:
    """x-io Fusion with its own estimate of the gyroscope's bias (Madgwick 2014, thesis, chapter 7)."""
    imufusion = optional("imufusion")
    rate = sensor.rate_hz
    bias, ahrs = imufusion.Bias(), imufusion.Ahrs()
    bias.set_settings(imufusion.BiasSettings(sample_rate=rate))
    ahrs.set_settings(
        imufusion.AhrsSettings(
            sample_rate=rate,
            convention=imufusion.CONVENTION_NWU,
            gain=_FUSION_GAIN,
            acceleration_rejection=_FUSION_REJECTION_DEG,
            rejection_timeout=_FUSION_TIMEOUT_S,
        )
    )
    q = np.empty((len(sensor.time_s), 4))
    rates = np.degrees(sensor.gyr_rad_s)
    forces = sensor.acc_m_s2 / GRAVITY_M_S2
    for k in range(len(q)):
        ahrs.update_no_magnetometer(bias.update(rates[k]), forces[k])
        q[k] = ahrs.get_quaternion()
    return q


def heading_corrected(
    t: FloatArray, gyr_shank: FloatArray, gyr_foot: FloatArray, q_shank: FloatArray, q_foot: FloatArray
) -> FloatArray:
    """qmt's heading correction for a joint of two degrees of freedom (Laidig et al. 2019, doi 10.3390/app9122485… see
    its documentation): the foot's orientation (n, 4) turned about the vertical into the shank's world.

    Evenly spaced times (n,), angular rates (n, 3) and orientations (n, 4) of the segments; the joint's axes are the
    shank's medio-lateral and the foot's anterior.
    """
    qmt = optional("qmt")
    axes = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    return np.asarray(qmt.headingCorrection(gyr_shank, gyr_foot, q_shank, q_foot, t, axes, None)[0])


def optional(name: str) -> Any:
    """A package of the development extra. Raises InputError where it is not installed."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        raise InputError(
            f"The package {name} is not installed, and peers are measured with it: run pip install 'subtalar[dev]'."
        ) from None
