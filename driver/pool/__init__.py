"""A connection pool as state transitions: no I/O, no locks, the clock passed in."""
