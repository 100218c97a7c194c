"""The wire protocol: bytes to messages and back, without any I/O."""
