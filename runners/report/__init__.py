"""What a run found, for people (terminal) and for programs (run file)."""
