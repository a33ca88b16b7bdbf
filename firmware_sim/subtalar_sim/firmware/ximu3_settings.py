"""x-IMU3 settings: names, defaults, what may be written, and what is refused."""

import re
from typing import Final

Value = str | int | float | bool

DEFAULTS: Final[dict[str, Value]] = {
    "device_name": "x-IMU3",
    "binary_mode_enabled": True,
    "usb_data_messages_enabled": True,
    "serial_data_messages_enabled": True,
    "tcp_data_messages_enabled": True,
    "udp_data_messages_enabled": True,
    "bluetooth_data_messages_enabled": True,
    "ahrs_message_type": 0,
    "inertial_message_rate_divisor": 8,
    "ahrs_message_rate_divisor": 8,
    "magnetometer_message_rate_divisor": 1,
    "high_g_accelerometer_message_rate_divisor": 64,
    "temperature_message_rate_divisor": 5,
    "battery_message_rate_divisor": 5,
    "rssi_message_rate_divisor": 1,
}
READ_ONLY: Final[dict[str, Value]] = {
    "firmware_version": "v1.0.0",
    "hardware_version": "v1.0",
    "bootloader_version": "v1.0",
}
SAMPLE_RATE_HZ: Final = {
    "inertial_message_rate_divisor": 400.0,
    "ahrs_message_rate_divisor": 400.0,
    "magnetometer_message_rate_divisor": 20.0,
    "temperature_message_rate_divisor": 5.0,
    "battery_message_rate_divisor": 5.0,
    "rssi_message_rate_divisor": 1.0,
}
"""Fixed sampling rates behind the divisors. That of temperature is inferred."""

_POWERS: Final = frozenset({0, *(1 << n for n in range(10))})


def normalised(key: str) -> str:
    """How the device compares keys: letters and digits only, case ignored."""
    return re.sub(r"[^a-z0-9]", "", key.lower())


KEYS: Final = {normalised(k): k for k in (*DEFAULTS, *READ_ONLY, "serial_number")}


def refusal(key: str, value: object) -> str | None:
    """Why the setting ``key`` cannot take ``value``; None if it can."""
    if key not in DEFAULTS:
        return "Read-only"
    default = DEFAULTS[key]
    kind = type(default)
    if isinstance(value, bool) != isinstance(default, bool) or not isinstance(value, kind):
        return f"Expected {'number' if kind is int else 'boolean' if kind is bool else 'string'}"
    if key.endswith("_divisor") and isinstance(value, int):
        # The accelerometer and gyroscope take listed values only; that these are the powers of two is inferred.
        listed = key.startswith(("inertial", "ahrs"))
        if value < 0 or (listed and value not in _POWERS):
            return "Invalid value"
    if key == "ahrs_message_type" and value not in range(5):
        return "Invalid value"
    return None
