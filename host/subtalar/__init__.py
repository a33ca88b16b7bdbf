"""Ankle angles from two inertial sensors a leg, live and from recordings."""

__version__ = "0.1.0"
