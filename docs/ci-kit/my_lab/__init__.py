"""Stands for the software that you want to test."""
