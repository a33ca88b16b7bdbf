"""Sensor calibration: errors of the sensors themselves and of how they sit on the body."""
