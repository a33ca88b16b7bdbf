"""Simulated hardware: a walking body, its sensors, and their firmware byte for byte."""
