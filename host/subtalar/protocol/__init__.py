"""Sans-IO codecs: bytes in, typed frames out, commands to bytes. One file a device."""
