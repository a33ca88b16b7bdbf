"""Check every byte, make a clean recording of a damaged one, close what a crash left open."""
