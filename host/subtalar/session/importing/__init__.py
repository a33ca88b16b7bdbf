"""Sessions that other software measured: the formats, and what they all share."""
