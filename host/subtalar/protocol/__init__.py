"""Sans-IO codecs, a file a device family: bytes in, frozen events out; wishes in, scripts of bytes out.

Nothing here opens a port, sleeps or looks at a clock. A codec implements :class:`~.base.DeviceProtocol`;
adding a device is one file plus its line in :mod:`~.registry`.
"""

from .base import (
    DecoderHealth,
    DeviceProtocol,
    Expect,
    GattProfile,
    Pause,
    Read,
    Script,
    Send,
    Step,
)
from .events import BatteryLevel, DeviceMessage, DeviceReply, Event, InertialSamples
from .registry import MODELS, DeviceModel, create_protocol, find_model, model_for_name

__all__ = [
    "MODELS",
    "BatteryLevel",
    "DecoderHealth",
    "DeviceMessage",
    "DeviceModel",
    "DeviceProtocol",
    "DeviceReply",
    "Event",
    "Expect",
    "GattProfile",
    "InertialSamples",
    "Pause",
    "Read",
    "Script",
    "Send",
    "Step",
    "create_protocol",
    "find_model",
    "model_for_name",
]
