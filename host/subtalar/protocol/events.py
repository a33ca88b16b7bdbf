"""What a codec makes of a device's bytes."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from subtalar.types import FloatArray, IntArray


@dataclass(frozen=True)
class InertialSamples:
    """Samples of one feed, oldest first, in the sensor's own axes.

    ``acc_m_s2`` (n, 3) specific force, ``gyr_rad_s`` (n, 3) angular velocity. ``device_time_us`` (n,) is
    the sensor's own clock in microseconds, unwrapped by the codec where the device's counter wraps; it goes
    back only when the device restarted (or the link reordered). None where the protocol carries no time.
    """

    device_time_us: IntArray | None
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray

    def __len__(self) -> int:
        return len(self.acc_m_s2)


@dataclass(frozen=True)
class BatteryLevel:
    """State of charge; the voltage where the device tells it."""

    percent: float
    voltage_v: float | None = None


@dataclass(frozen=True)
class DeviceReply:
    """An answer to a command: ``key`` normalised by the codec, ``value`` as the device gave it."""

    key: str
    value: object
    error: str | None = None


@dataclass(frozen=True)
class DeviceMessage:
    """Text that the device sent of its own accord."""

    text: str
    is_error: bool = False


Event: TypeAlias = InertialSamples | BatteryLevel | DeviceReply | DeviceMessage


def merge_samples(events: list[Event]) -> list[Event]:
    """The same events with neighbouring sample batches joined: equal however the bytes were cut."""
    merged: list[Event] = []
    run: list[InertialSamples] = []

    def close_run() -> None:
        if run:
            times = [batch.device_time_us for batch in run if batch.device_time_us is not None]
            merged.append(
                InertialSamples(
                    np.concatenate(times) if times else None,
                    np.concatenate([batch.acc_m_s2 for batch in run]),
                    np.concatenate([batch.gyr_rad_s for batch in run]),
                )
            )
            run.clear()

    for event in events:
        if isinstance(event, InertialSamples):
            run.append(event)
        else:
            close_run()
            merged.append(event)
    close_run()
    return merged
