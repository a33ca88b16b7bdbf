"""Sans-IO codecs, a file a device family: bytes in, frozen events out; wishes in, scripts of bytes out.

Nothing here opens a port, sleeps or looks at a clock. A codec implements :class:`~.base.DeviceProtocol`;
adding a device is one file plus its line in :mod:`~.registry`, or a distribution with an entry point.
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
from .device_model import DeviceModel
from .events import BatteryLevel, DeviceMessage, DeviceReply, Event, InertialSamples
from .registry import MODELS, create_protocol, device_models, find_model, model_for_name, plug_ins

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
    "device_models",
    "find_model",
    "model_for_name",
    "plug_ins",
]
