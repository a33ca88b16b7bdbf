"""The peers: orientation of one sensor, and the correction of the heading between two.

Settings are the ones that their own documents give; nothing is tuned. The two packages that are no part of the product
come with its development extra.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from vqf import VQF

from subtalar.conventions import GRAVITY_M_S2
from subtalar.errors import InputError
from subtalar.types import FloatArray
from subtalar_bench.peers.peer_input import Sensor

Filter = Callable[[Sensor], FloatArray]
"""Orientation (n, 4) of a sensor in its own level world, for each of its samples."""

_RANGES_DEG = np.array([[-60.0, 60.0], [-40.0, 40.0], [-40.0, 40.0]])
"""Of the ankle: qmt needs them to tell a heading from its opposite, which fits its joint as well."""


def vqf(sensor: Sensor) -> FloatArray:
    """VQF, six axes, defaults (Laidig & Seel 2023, doi 10.1016/j.inffus.2022.10.014)."""
    out = VQF(1.0 / sensor.rate_hz).updateBatch(sensor.gyr_rad_s, sensor.acc_m_s2)
    return np.asarray(out["quat6D"])


def fusion(sensor: Sensor) -> FloatArray:
    """x-io Fusion (Madgwick 2014, thesis, chapter 7), defaults: no accelerations are rejected, no bias is estimated.

    Both options were tried and cost more than they gave: its rejection of accelerations (10°, 5 s) triples the
    inclination error of walking, its bias estimate takes slow knee bends for rest.
    """
    imufusion = optional("imufusion")
    ahrs = imufusion.Ahrs()
    ahrs.set_settings(imufusion.AhrsSettings(sample_rate=sensor.rate_hz, convention=imufusion.CONVENTION_NWU))
    q = np.empty((len(sensor.time_s), 4))
    rates = np.degrees(sensor.gyr_rad_s)
    forces = sensor.acc_m_s2 / GRAVITY_M_S2
    for k in range(len(q)):
        ahrs.update_no_magnetometer(rates[k], forces[k])
        q[k] = ahrs.get_quaternion()
    return q


def heading_corrected(
    t: FloatArray, gyr_shank: FloatArray, gyr_foot: FloatArray, q_shank: FloatArray, q_foot: FloatArray
) -> FloatArray:
    """qmt's heading correction for a joint of two degrees of freedom, defaults but for the range of motion: the foot's
    orientation (n, 4) turned about the vertical into the shank's world.

    Evenly spaced times (n,), angular rates (n, 3) and orientations (n, 4) of the segments; the joint's axes are the
    shank's medio-lateral and the foot's anterior.
    """
    qmt = optional("qmt")
    axes = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    settings = {"useRomConstraints": True, "angleRanges": np.radians(_RANGES_DEG), "convention": "zxy"}
    return np.asarray(qmt.headingCorrection(gyr_shank, gyr_foot, q_shank, q_foot, t, axes, None, settings)[0])


def optional(name: str) -> Any:
    """A package of the development extra. Raises InputError where it is not installed."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        raise InputError(
            f"The package {name} is not installed, and peers are measured with it: run pip install 'subtalar[dev]'."
        ) from None
