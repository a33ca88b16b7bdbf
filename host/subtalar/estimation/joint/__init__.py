"""The ankle as one point: where it lies, the path that both sensors see, and their relative heading."""
