"""How the project measures itself: accuracy against truth, other software, codecs, radio, recordings, adversity.

A package of the checkout, not of the wheel: ``subtalar bench`` finds it where it is installed.
"""
