"""Other software on the same trials: told what ours has to find out by itself."""

from subtalar_bench.peers.comparison import measure

__all__ = ["measure"]
