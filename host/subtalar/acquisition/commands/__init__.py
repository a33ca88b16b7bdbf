"""What can be asked of a live session, and the ways such a request takes to it."""
