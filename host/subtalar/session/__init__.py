"""Recordings: write so that a crash costs a second at most, read, recover, import other formats."""
