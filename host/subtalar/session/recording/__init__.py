"""Our own recordings: MCAP files with protobuf messages (``docs/recording-format.md``)."""
