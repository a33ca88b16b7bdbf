"""x-IMU3 data messages: binary (id, µs timestamp, floats, byte stuffing, LF) and ASCII.

Written from the x-IMU3 User Manual, chapter "Communication protocol" (xioTechnologies/x-IMU3-User-Manual).
"""

import struct

import numpy as np

from subtalar_sim.sensor import ImuSamples, quaternion_of
from subtalar_sim.types import GRAVITY_M_S2, FloatArray, IntArray

# Earth field in the world frame, in units of the local field: north by heading 0, 60° down.
_FIELD = np.array([np.cos(np.radians(60.0)), 0.0, -np.sin(np.radians(60.0))])


def stuffed(message: bytes) -> bytes:
    """Byte stuffing and the LF that ends a message: 0A -> DB DC, DB -> DB DD."""
    return message.replace(b"\xdb", b"\xdb\xdd").replace(b"\x0a", b"\xdb\xdc") + b"\x0a"


def numeric(letter: str, timestamp_us: int, values: tuple[float, ...] | list[float], *, binary: bool) -> bytes:
    """One data message of float arguments."""
    if binary:
        return stuffed(struct.pack(f"<BQ{len(values)}f", 0x80 + ord(letter), timestamp_us, *values))
    return ",".join([letter, str(timestamp_us), *(f"{v:.4f}" for v in values)]).encode() + b"\n"


def text(letter: str, timestamp_us: int, content: str, *, binary: bool) -> bytes:
    """A note (N) or error (F): printable text, not terminated before the LF."""
    if binary:
        return stuffed(struct.pack("<BQ", 0x80 + ord(letter), timestamp_us) + content.encode("ascii", "replace"))
    return f"{letter},{timestamp_us},{content}\n".encode("ascii", "replace")


def inertial_values(samples: ImuSamples, divisor: int) -> FloatArray:
    """Gyroscope deg/s and accelerometer g (m, 6), the mean of every ``divisor`` samples (n = m * divisor)."""
    both = np.hstack([np.degrees(samples.gyr_rad_s), samples.acc_m_s2 / GRAVITY_M_S2])
    return np.asarray(both.reshape(-1, divisor, 6).mean(axis=1), dtype=np.float64)


def many(letter: str, timestamps_us: IntArray, values: FloatArray, *, binary: bool) -> list[bytes]:
    """Data messages of one kind: timestamps (m,), arguments (m, k)."""
    if not binary:
        return [numeric(letter, int(t), v, binary=False) for t, v in zip(timestamps_us, values.tolist(), strict=True)]
    m, k = values.shape
    records = np.empty(m, dtype=[("id", "u1"), ("t", "<u8"), ("v", "<f4", (k,))])
    records["id"], records["t"], records["v"] = 0x80 + ord(letter), timestamps_us, values
    raw, size = records.tobytes(), records.itemsize
    return [stuffed(raw[size * i : size * (i + 1)]) for i in range(m)]


def ahrs_values(kind: int, orientation: FloatArray) -> tuple[str, FloatArray]:
    """Letter and arguments of the AHRS message ``kind`` (0 quaternion, 1 matrix, 2 Euler) for (m, 3, 3)."""
    if kind == 1:
        return "R", orientation.reshape(-1, 9)
    if kind == 2:
        R = orientation
        roll = np.arctan2(R[:, 2, 1], R[:, 2, 2])
        pitch = -np.arcsin(np.clip(R[:, 2, 0], -1.0, 1.0))
        yaw = np.arctan2(R[:, 1, 0], R[:, 0, 0])
        return "A", np.degrees(np.column_stack([roll, pitch, yaw]))
    return "Q", quaternion_of(orientation)


def magnetometer_values(orientation: FloatArray) -> FloatArray:
    """The local field in sensor axes (m, 3), a.u. with 1 for the undisturbed field."""
    return np.asarray(np.einsum("nij,i->nj", orientation, _FIELD), dtype=np.float64)
