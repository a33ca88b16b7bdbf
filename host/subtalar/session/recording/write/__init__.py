"""A recording while it happens: what a crash or a full disk costs is half a second at most."""
