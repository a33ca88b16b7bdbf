"""One sensor's life: connect, configure, stream, watch, reconnect; its clock stamps and its ledger."""

from .clock import SessionClock
from .group import SensorGroup, open_group
from .inspect import DeviceReport, inspect_device, run_on_device
from .policy import LinkPolicy
from .stream import SensorStream, Sink

__all__ = [
    "DeviceReport",
    "LinkPolicy",
    "SensorGroup",
    "SensorStream",
    "SessionClock",
    "Sink",
    "inspect_device",
    "open_group",
    "run_on_device",
]
