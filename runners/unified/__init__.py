"""The runner of the unified test format: files of operations, expected events and outcomes."""
