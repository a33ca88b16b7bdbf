"""Simulated hardware that is served live: Bluetooth in this process, pseudo-terminals, TCP.

``subtalar_sim.serve.live`` puts whole sessions together; ``subtalar_sim.serve.command`` is the command line's entry.
"""
