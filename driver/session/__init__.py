"""Logical sessions: the pool of server sessions, and what a client session knows."""
