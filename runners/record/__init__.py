"""A failure as one file, and that file served to a driver again: docs/failure-records.md."""
