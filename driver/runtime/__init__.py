"""The only place that touches sockets, threads, event loops, clocks and randomness."""
