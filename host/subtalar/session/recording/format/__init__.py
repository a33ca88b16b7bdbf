"""What the bytes of a recording mean: messages, counts, totals."""
