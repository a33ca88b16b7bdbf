"""One sensor's life: connect, configure, stream, watch, reconnect; its clock stamps and its ledger."""

from .clock import SessionClock
from .group import SensorGroup, open_group
from .inspect import DeviceReport, inspect_device, refuse_early, run_on_device, set_up_device
from .policy import LinkPolicy
from .remembered import RememberedSensor, RememberedSensors
from .stream import SensorStream, Sink

__all__ = [
    "DeviceReport",
    "LinkPolicy",
    "RememberedSensor",
    "RememberedSensors",
    "SensorGroup",
    "SensorStream",
    "SessionClock",
    "Sink",
    "inspect_device",
    "open_group",
    "refuse_early",
    "run_on_device",
    "set_up_device",
]
