"""A recording as it lies there, past whatever damage there is; and as a session."""
