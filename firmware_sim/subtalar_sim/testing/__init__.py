"""What the pytest plugin hands out; usable without pytest.

``accelerated.SimulatedLegs``: numbers and bytes at once. ``served.ServedSensors``: sensors that other code connects to.
"""
