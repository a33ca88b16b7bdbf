"""Sessions that other software measured: one file a format, and what they all share."""
