"""One sensor's life: connect, configure, stream, watch, reconnect; its clock stamps and its ledger."""

from .clock import SessionClock
from .group import SensorGroup, open_group
from .policy import LinkPolicy
from .remembered import RememberedSensor, RememberedSensors
from .short_visit import DeviceReport, check_script, inspect_device, run_on_device, set_up_device
from .sink import Sink
from .stream import SensorStream

__all__ = [
    "DeviceReport",
    "LinkPolicy",
    "RememberedSensor",
    "RememberedSensors",
    "SensorGroup",
    "SensorStream",
    "SessionClock",
    "Sink",
    "check_script",
    "inspect_device",
    "open_group",
    "run_on_device",
    "set_up_device",
]
