"""The format's operations, a family a file; `execute` finds the one that a file names."""
