"""Firmware of the devices, a file a device: state machines without I/O, written from the protocol documents."""

from subtalar_sim.firmware.base import Firmware, GattFirmware, Sampling
from subtalar_sim.firmware.witmotion_ble import WitMotionBle
from subtalar_sim.firmware.ximu3 import XImu3

__all__ = ["Firmware", "GattFirmware", "Sampling", "WitMotionBle", "XImu3"]
