"""Gait events, steps and strides, and what is measured of each stride."""
