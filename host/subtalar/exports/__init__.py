"""A session in the formats of other tools: one file a format, and what all of them share."""
