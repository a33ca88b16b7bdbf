"""Angles of joints and segments, and their uncertainty, from orientations."""
