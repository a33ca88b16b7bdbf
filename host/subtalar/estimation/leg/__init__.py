"""A leg, streaming: the order in which all of this is learnt and applied."""
