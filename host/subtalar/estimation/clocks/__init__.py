"""A sensor's own clock on the session clock."""
